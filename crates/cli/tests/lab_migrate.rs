//! The stack itself, moved in the lab: up as an ordinary user, working, and back.

use phoenix_testkit::LabProject;

const SAMPLES: &str = r#"
for i in $(seq 0 199); do
  if [ $i -ge 100 ] && [ $i -lt 105 ]; then continue; fi
  v=$(awk -v i=$i 'BEGIN {srand(i); printf "%.3f", 10 + 0.02 * i + 3 * sin(i * 6.2831853 / 24) + 0.3 * rand()}')
  printf '%s{"at":"%s","value":%s}' "$sep" "$(date -u -d @$((1767225600 + i * 3600)) +%FT%TZ)" "$v"
  sep=,
done > /tmp/samples.json
printf '{"series":"load","samples":[%s]}' "$(cat /tmp/samples.json)" > /tmp/body.json
"#;

/// One test: the ports and the data directory are the stack's own.
#[test]
fn the_stack_moves_works_and_comes_back() {
    let project = LabProject::new("lab-stack").copy_of("stack/docker");
    project.run("rm -rf bin/.x; git init -q . && git add -A && git -c user.name=t -c user.email=t@localhost commit -qm before").ok();
    let clean = || project.run("git status --porcelain").ok();
    assert_eq!(clean(), "");

    project.run("phoenix migrate --apply").ok();
    project.run("phoenix up -d --wait").ok();

    // Nobody is privileged, nobody is root inside.
    let users = project
        .run("for c in $(podman ps -q --filter label=com.docker.compose.project=phoenix-hydra); do podman inspect $c --format '{{.Name}} {{.HostConfig.Privileged}} {{.State.Health.Status}} {{.Config.User}} {{len .EffectiveCaps}}'; done | sort")
        .ok();
    assert_eq!(
        users.lines().collect::<Vec<_>>(),
        [
            "phoenix-hydra-db-1 false healthy 999:999 0",
            "phoenix-hydra-gap-detector-1 false healthy 10001:10001 0",
            "phoenix-hydra-nginx-1 false healthy nginx 0",
            "phoenix-hydra-recurrent-processor-1 false healthy 10001:10001 0",
            "phoenix-hydra-rubik-agent-1 false healthy 10001:10001 0",
        ]
    );
    assert!(
        project
            .read("infra/podman/MIGRATION.md")
            .contains("| windmill |")
    );

    // Samples in, gaps and forecasts out, through nginx.
    project.run(SAMPLES).ok();
    let post =
        "curl -fsS --retry 10 --retry-all-errors -H 'content-type: application/json' -X POST";
    assert_eq!(
        project
            .run(&format!(
                "{post} http://localhost:8080/samples --data-binary @/tmp/body.json"
            ))
            .ok(),
        "{\"stored\":195}"
    );
    let gaps = project.run("curl -fsS 'http://localhost:8080/gaps?series=load' | jq -c '[.gaps[].missing, (.shifts | length)]'").ok();
    assert_eq!(gaps.trim(), "[5,0]");
    let trained = project
        .run(&format!(
            "{post} 'http://localhost:8080/train?series=load' | jq '.mae < .naive_mae'"
        ))
        .ok();
    assert_eq!(trained.trim(), "true");
    let forecast = project.run("curl -fsS 'http://localhost:8080/forecasts?series=load' | jq '.published, (.forecast | length)'").ok();
    assert_eq!(forecast, "true\n12\n");
    let cube = "INSERT INTO cube_jobs (facelets) VALUES ('DUUBULDBFRBFRRULLLBRDFFFBLURDBFDFDRFRULBLUFDURRBLBDUDL')";
    let psql = "phoenix exec -T db psql -qtA -U windmill_user windmill -c";
    project.run(&format!("{psql} \"{cube}\"")).ok();
    let solved = project.run(&format!("for i in $(seq 40); do s=$({psql} 'SELECT state FROM cube_jobs'); [ \"$s\" = done ] && break; sleep 0.5; done; echo $s")).ok();
    assert_eq!(solved, "done\n");

    // Data survives down and up: it lies in the user's own directory.
    project.run("phoenix down").ok();
    assert_eq!(project.run("podman ps -aq --filter label=com.docker.compose.project=phoenix-hydra; podman network ls -q --filter name=phoenix-hydra").ok(), "");
    assert_eq!(
        project
            .run("podman unshare stat -c '%u %a' ~/.local/share/phoenix-hydra/db_data")
            .ok(),
        "999 700\n"
    );

    // podman-compose reads the same file.
    project.run("cd infra/podman && podman-compose up -d >/tmp/pc.log 2>&1 || { cat /tmp/pc.log >&2; exit 1; }").ok();
    let count = project.run("curl -fsS --retry 30 --retry-delay 1 --retry-all-errors 'http://localhost:8080/series' | jq '.[0].samples'").ok();
    assert_eq!(count.trim(), "195");
    project
        .run("cd infra/podman && podman-compose down >/dev/null 2>&1")
        .ok();

    // A directory that was removed by hand is made again.
    project
        .run("podman unshare rm -rf ~/.local/share/phoenix-hydra")
        .ok();
    project.run("phoenix up -d --wait && phoenix down").ok();

    project.run("phoenix rollback").ok();
    assert_eq!(clean(), "");
    project.run("podman volume rm -f phoenix-hydra_db_data; podman unshare rm -rf ~/.local/share/phoenix-hydra").ok();
}
