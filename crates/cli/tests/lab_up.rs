//! Projects on a real rootless Podman: up, what changes, what is left, what fails.

use phoenix_testkit::LabProject;

const STACK: &str = r#"
services:
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: x}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U postgres"], interval: 30s}
    secrets: [token]
  web:
    image: nginx:1.26
    depends_on: {db: {condition: service_healthy}}
    configs: [{source: page, target: /usr/share/nginx/html/page.txt, mode: 0444}]
    networks: {default: {aliases: [site]}}
  once:
    image: busybox
    command: "true"
  after:
    image: busybox
    command: ["sleep", "1000"]
    init: true
    depends_on: {once: {condition: service_completed_successfully}}
    environment: {COLOUR: "${COLOUR:-red}"}
volumes: {data: }
secrets: {token: {file: ./token.txt}}
configs: {page: {content: hello}}
"#;

fn running(project: &LabProject) -> Vec<(String, String)> {
    let script = "podman ps --filter label=com.docker.compose.project.working_dir=$PWD --format '{{.Names}} {{.ID}}' | sort";
    let listed = project.run(script).ok();
    listed
        .lines()
        .filter_map(|l| l.split_once(' '))
        .map(|(n, i)| (n.to_owned(), i.to_owned()))
        .collect()
}

#[test]
fn a_project_comes_up_in_order_changes_only_what_changed_and_leaves_nothing() {
    let project = LabProject::new("lab-up")
        .file("compose.yaml", STACK)
        .file("token.txt", "one\n");
    project.run("phoenix up -d --wait").ok();

    // Health, names, secrets and configs are as declared.
    let table = project.run("phoenix ps").ok();
    assert!(
        table.contains("lab-up-db-1") && table.contains("(healthy)"),
        "{table}"
    );
    assert_eq!(
        project
            .run("phoenix exec -T db cat /run/secrets/token")
            .ok(),
        "one\n"
    );
    assert_eq!(
        project
            .run("phoenix exec -T after wget -qO- http://site/page.txt")
            .ok(),
        "hello"
    );
    assert!(
        project
            .run("phoenix logs --tail 5 db 2>&1")
            .ok()
            .contains("database system is ready")
    );
    let images = project.run("phoenix images --format json").ok();
    assert!(images.contains("docker.io/library/postgres"), "{images}");

    // Nothing changed: nothing happens to what runs.
    let before = running(&project);
    assert_eq!(before.len(), 3);
    let plan = project.run("phoenix up -d --dry-run --format json | jq '[.steps[].action.do] | sort | join(\",\")'").ok();
    // The one that completed starts again, as in Docker Compose.
    assert_eq!(plan.trim(), "\"start_container\"");
    project.run("phoenix up -d").ok();
    assert_eq!(running(&project), before);

    // A variable of one service: that service alone.
    project.run("COLOUR=blue phoenix up -d").ok();
    let after = running(&project);
    let changed: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.0.as_str())
        .collect();
    assert_eq!(changed, ["lab-up-after-1"]);
    assert_eq!(
        project
            .run("phoenix exec -T after sh -c 'echo $COLOUR'")
            .ok(),
        "blue\n"
    );

    // The content of a secret: the service that has it.
    project.write("token.txt", "two\n");
    project.run("COLOUR=blue phoenix up -d").ok();
    assert_eq!(
        project
            .run("phoenix exec -T db cat /run/secrets/token")
            .ok(),
        "two\n"
    );
    assert_eq!(
        project
            .run("podman secret ls --format '{{.Name}}' | grep -c '^lab-up_secret_token'")
            .ok(),
        "1\n"
    );

    project
        .run("phoenix stop web && phoenix start web && phoenix restart after")
        .ok();
    assert_eq!(running(&project).len(), 3);

    project.run("phoenix down --volumes").ok();
    let left = project.run(
        "sleep 2; podman ps -aq --filter label=com.docker.compose.project=lab-up; podman network ls -q --filter name=lab-up; \
         podman volume ls -q --filter name=lab-up; podman secret ls --format '{{.Name}}' | grep lab-up; \
         pgrep -fa '[c]onmon.*lab-up-' ; true",
    );
    assert_eq!(left.ok(), "");
}

#[test]
fn health_is_seen_at_once_and_early_failures_do_not_count() {
    let project = LabProject::new("lab-health").file(
        "compose.yaml",
        r#"
services:
  slow:
    image: busybox
    init: true
    command: ["sh", "-c", "sleep 3; touch /tmp/ready; exec sleep 1000"]
    healthcheck: {test: ["CMD", "test", "-f", "/tmp/ready"], interval: 30s, retries: 1}
  next:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    depends_on: {slow: {condition: service_healthy}}
"#,
    );
    // With one retry a single failure that counted would make it unhealthy; the interval is 30 s.
    let seconds = project
        .run("s=$(date +%s); phoenix up -d --wait >&2 || exit 1; echo $(( $(date +%s) - s ))")
        .ok();
    let seconds: u64 = seconds.trim().parse().unwrap();
    assert!((3..20).contains(&seconds), "{seconds}");
    let streak = project.run("podman inspect lab-health-slow-1 --format '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'").ok();
    assert_eq!(streak, "healthy 0\n");
}

#[test]
fn what_never_gets_healthy_fails_with_its_reason() {
    let project = LabProject::new("lab-sick").file(
        "compose.yaml",
        r#"
services:
  sick:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    healthcheck: {test: ["CMD-SHELL", "echo no luck; exit 1"], interval: 1s, retries: 2}
  needs:
    image: busybox
    command: ["sleep", "1"]
    depends_on: {sick: {condition: service_healthy}}
  likes:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    depends_on: {gone: {condition: service_completed_successfully, required: false}}
  gone:
    image: busybox
    command: ["sh", "-c", "exit 7"]
"#,
    );
    let message = project.run("phoenix up -d").failed_with(1);
    assert!(
        message.contains("`lab-sick-sick-1` is unhealthy") && message.contains("no luck"),
        "{message}"
    );
    assert!(
        message.contains("not begun because of that: lab-sick-needs-1"),
        "{message}"
    );
    assert!(
        message.contains("ended with code 7") && message.contains("it is not required"),
        "{message}"
    );
    let names: Vec<String> = running(&project).into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["lab-sick-likes-1", "lab-sick-sick-1"]);
}

#[test]
fn podman_that_dies_halfway_is_said_and_the_next_run_goes_on() {
    let project = LabProject::new("lab-dies").file(
        "compose.yaml",
        r#"
services:
  slow:
    image: busybox
    init: true
    command: ["sh", "-c", "sleep 4; touch /tmp/ready; exec sleep 1000"]
    healthcheck: {test: ["CMD", "test", "-f", "/tmp/ready"]}
"#,
    );
    let message = project
        .run("phoenix up -d --wait & p=$!; sleep 2; pkill -KILL -f 'system service.*phoenix/podman-'$p; wait $p")
        .failed_with(1);
    assert!(
        message.contains("Podman stopped answering") && message.contains("help:"),
        "{message}"
    );
    project.run("phoenix up -d --wait").ok();
}

#[test]
fn a_strangers_container_with_the_wanted_name_is_never_removed() {
    let project = LabProject::new("lab-taken").file(
        "compose.yaml",
        "services: {web: {image: busybox, command: [sleep, '100'], init: true}}\n",
    );
    project.run("podman run -d --name lab-taken-web-1 --init docker.io/library/busybox:latest sleep 100").ok();
    let message = project.run("phoenix up -d").failed_with(1);
    assert!(
        message.contains("is already in use") && message.contains("help:"),
        "{message}"
    );
    assert_eq!(
        project
            .run("podman inspect lab-taken-web-1 --format '{{.State.Status}}'")
            .ok(),
        "running\n"
    );
    project.run("podman rm -f -t 0 lab-taken-web-1").ok();
}

#[test]
fn the_foreground_shows_output_and_stops_on_interrupt() {
    let project = LabProject::new("lab-attach").file(
        "compose.yaml",
        "services: {a: {image: busybox, init: true, command: [sh, -c, 'echo from a; exec sleep 1000']}}\n",
    );
    let out = project
        .run("phoenix up > out.txt 2>&1 & p=$!; sleep 4; kill -INT $p; wait $p; cat out.txt")
        .ok();
    assert!(out.contains("a-1") && out.contains("from a"), "{out}");
    assert_eq!(
        project
            .run("podman inspect lab-attach-a-1 --format '{{.State.Status}}'")
            .ok(),
        "exited\n"
    );
}
