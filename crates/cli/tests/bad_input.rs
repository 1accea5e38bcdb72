//! Input that is wrong ends with exit code 1 or 2, a message with a place and the next thing to do,
//! and nothing half-written. No lab is needed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and touches the disk"
)]

use phoenix_testkit::HostProject;

const PHOENIX: &str = env!("CARGO_BIN_EXE_phoenix");

/// Loads a compose file; gives the messages.
#[track_caller]
fn refused(text: impl AsRef<[u8]>) -> String {
    HostProject::new()
        .file("compose.yaml", text)
        .run(PHOENIX, &["config"], &[])
        .failed_with(1)
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn malformed_yaml_shows_its_line() {
    says(
        &refused("services:\n  web:\n    image: x\n   ports: []\n"),
        &["error: this is not YAML", "compose.yaml:4:", "help:"],
    );
    says(
        &refused("services: {web: {image: 'x}}\n"),
        &["error: this is not YAML", "compose.yaml:"],
    );
    says(
        &refused("services:\n\t web: x\n"),
        &["error:", "compose.yaml:2:"],
    );
}

#[test]
fn unknown_keys_get_a_suggestion() {
    says(
        &refused("services:\n  web:\n    imagee: x\n"),
        &[
            "error: unknown key `imagee` in `services.web`",
            "compose.yaml:3:5",
            "did you mean `image`?",
        ],
    );
}

#[test]
fn wrong_types_say_what_is_wanted() {
    says(
        &refused("services:\n  web:\n    image: x\n    ports: 80\n"),
        &["`services.web.ports` must be a list", "compose.yaml:4:12"],
    );
    says(
        &refused("services:\n  web:\n    image: x\n    mem_limit: lots\n"),
        &["a size such as `512m`", "compose.yaml:4:16"],
    );
    says(
        &refused("services:\n  web:\n    image: x\n    privileged: ${P:-maybe}\n"),
        &["must be `true` or `false`", "compose.yaml:4:"],
    );
}

#[test]
fn circles_are_named() {
    says(
        &refused("services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n"),
        &[
            "depend on each other in a circle",
            "remove one of these dependencies",
        ],
    );
}

#[test]
fn required_variables_are_named() {
    says(
        &refused("services:\n  web:\n    image: ${IMAGE:?name an image}\n"),
        &[
            "the required variable `IMAGE` has no value: name an image",
            "compose.yaml:3:12",
            "set `IMAGE`",
        ],
    );
}

#[test]
fn missing_files_and_directories_in_their_place() {
    says(
        &refused("services:\n  web: {image: x, env_file: nope.env}\n"),
        &["the env file", "does not exist", "compose.yaml:2:"],
    );
    let project = HostProject::new().file("compose.yaml/x", "");
    says(
        &project.run(PHOENIX, &["config"], &[]).failed_with(1),
        &["is a directory", "help:"],
    );
    says(
        &HostProject::new()
            .run(PHOENIX, &["-f", "nope.yaml", "config"], &[])
            .failed_with(1),
        &["does not exist"],
    );
    says(
        &HostProject::new()
            .run(PHOENIX, &["config"], &[])
            .failed_with(1),
        &["no compose file in", "`-f`"],
    );
}

#[test]
fn invalid_utf8_shows_its_place() {
    says(
        &refused(b"services:\n  web: {image: \xff}\n"),
        &["compose.yaml:2:16 is not UTF-8", "save it as UTF-8"],
    );
}

#[test]
fn bombs_are_defused_quickly() {
    let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"]
        .iter()
        .map(|p| p.split_at(1))
    {
        bomb.push_str(&format!(
            "{to}: &{to} [{}]\n",
            format!("*{from},").repeat(10)
        ));
    }
    says(
        &refused(bomb),
        &["aliases expand to more than", "compose.yaml:"],
    );
    says(&refused("[".repeat(100_000)), &["error:"]);
    let chain: String = (0..500)
        .map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1))
        .collect();
    says(
        &refused(format!("services:\n{chain}  s500: {{image: x}}\n")),
        &["`extends` is more than"],
    );
}

#[test]
fn wrong_use_is_exit_code_2() {
    let project = HostProject::new().file("compose.yaml", "services: {web: {image: x}}\n");
    assert_eq!(project.run(PHOENIX, &["upp"], &[]).code, 2);
    assert_eq!(
        project
            .run(PHOENIX, &["config", "--format", "toml"], &[])
            .code,
        2
    );
    says(
        &project
            .run(PHOENIX, &["explain", "PH999"], &[])
            .failed_with(2),
        &["there is no rule `PH999`", "`phoenix explain` lists them"],
    );
    says(
        &project.run(PHOENIX, &["config", "wbe"], &[]).failed_with(1),
        &["no such service: `wbe`", "did you mean `web`?"],
    );
}

#[test]
fn a_dockerfile_that_is_none_is_a_finding_and_not_copied() {
    let project = HostProject::new()
        .file(
            "compose.yaml",
            "services: {web: {build: .}, app: {build: {context: ., dockerfile: dir}}}\n",
        )
        .file("Dockerfile", "this is not one\n")
        .file("dir/x", "");
    let ran = project.run(PHOENIX, &["migrate"], &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    says(
        &ran.stdout,
        &[
            "PH013",
            "it has no FROM",
            "Dockerfile:1:1",
            "is a directory",
        ],
    );
    project.run(PHOENIX, &["migrate", "--apply"], &[]).ok();
    assert!(
        !project
            .path()
            .join("infra/podman/web/Containerfile")
            .exists()
    );
    project.run(PHOENIX, &["rollback"], &[]).ok();
}

#[test]
fn an_unwritable_target_leaves_the_tree_as_it_was() {
    // Root may write anywhere: a file where the directory belongs stops it too.
    let project = HostProject::new()
        .file("compose.yaml", "services: {web: {image: x}}\n")
        .file("infra", "a file\n");
    let before = project.tree();
    says(
        &project
            .run(PHOENIX, &["migrate", "--apply"], &[])
            .failed_with(1),
        &["error:", "nothing is half-written"],
    );
    assert_eq!(project.tree(), before);
}

#[test]
fn an_already_migrated_project_is_said() {
    let project = HostProject::new().file("compose.yaml", "services: {web: {image: nginx}}\n");
    let before = project.tree();
    project.run(PHOENIX, &["migrate", "--apply"], &[]).ok();
    says(
        &project
            .run(PHOENIX, &["migrate", "--apply"], &[])
            .failed_with(1),
        &["migrated already", "`phoenix rollback`"],
    );
    project.run(PHOENIX, &["rollback"], &[]).ok();
    assert_eq!(project.tree(), before);
    says(
        &project.run(PHOENIX, &["rollback"], &[]).failed_with(1),
        &["no migration to undo"],
    );
}

#[test]
fn a_podman_that_is_absent_or_too_old_or_something_else() {
    let project = HostProject::new().file("compose.yaml", "services: {web: {image: x}}\n");
    let message = project
        .run(
            PHOENIX,
            &["up", "-d"],
            &[("PATH", "/nowhere"), ("XDG_RUNTIME_DIR", "/nowhere")],
        )
        .failed_with(1);
    says(
        &message,
        &[
            "no Podman here",
            "`podman` is not in PATH",
            "install Podman",
        ],
    );

    let socket = project.path().join("podman.sock");
    let host = format!("unix://{}", socket.display());
    says(
        &project
            .run(PHOENIX, &["up", "-d"], &[("CONTAINER_HOST", &host)])
            .failed_with(1),
        &["where nobody answers"],
    );

    for (answer, expected) in [
        (
            "HTTP/1.1 200 OK\r\nLibpod-API-Version: 4.3.1\r\nContent-Length: 2\r\n\r\nOK",
            "Podman 4.3.1 is too old",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
            "answers, but not as Podman",
        ),
        (
            "HTTP/1.1 200 OK\r\nLibpod-API-Version: 5.4.2\r\nContent-Length: 2\r\n\r\nOK",
            "Podman stopped answering",
        ),
    ] {
        let _ = std::fs::remove_file(&socket);
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        // Answers the first request of the first two connections, then nothing more.
        let thread = std::thread::spawn(move || {
            use std::io::{Read, Write};
            for _ in 0..2 {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let mut request = [0; 1024];
                if stream.read(&mut request).unwrap_or(0) > 0 {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        says(
            &project
                .run(PHOENIX, &["up", "-d"], &[("CONTAINER_HOST", &host)])
                .failed_with(1),
            &[expected, "help:"],
        );
        drop(thread);
    }
}

/// The migrated files, with an override file and builds in every spelling, mean what the originals
/// do.
#[test]
fn an_override_file_and_every_spelling_of_build_move_along() {
    let project = HostProject::new()
        .file(
            "compose.yaml",
            "services:\n  a: {build: .}\n  b: {build: {dockerfile: b.Dockerfile}}\n  c:\n    build: {context: ./c}\n  \
             d: {build: {dockerfile_inline: FROM docker.io/library/busybox}}\n  e: {build: ./nowhere}\n",
        )
        .file("compose.override.yaml", "services:\n  a:\n    env_file: [a.env]\n    volumes: [./a:/a]\n")
        .file("Dockerfile", "FROM busybox\n")
        .file("b.Dockerfile", "FROM busybox\nCOPY a.env /\n")
        .file("c/Dockerfile", "FROM busybox\n")
        .file("a.env", "X=1\n");
    let before = project.tree();
    let said = project.run(PHOENIX, &["migrate", "--apply"], &[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let config = project.run(PHOENIX, &["config", "--format", "json"], &[]);
    says(
        &config.stderr,
        &["podman-compose.yaml and infra/podman/podman-compose.override.yaml"],
    );
    let config: serde_json::Value = serde_json::from_str(&config.ok()).unwrap();
    let root = project.path().canonicalize().unwrap();
    let root = root.display().to_string();
    let build = |service: &str, key: &str| config["services"][service]["build"][key].clone();
    assert_eq!(build("a", "context"), root);
    assert_eq!(build("b", "context"), root);
    assert_eq!(build("c", "context"), format!("{root}/c"));
    assert_eq!(build("d", "context"), root);
    assert_eq!(build("e", "context"), format!("{root}/nowhere"));
    assert_eq!(build("b", "dockerfile"), "infra/podman/b/Containerfile");
    assert_eq!(config["services"]["a"]["environment"]["X"], "1");
    project.run(PHOENIX, &["rollback"], &[]).ok();
    assert_eq!(project.tree(), before);
}
