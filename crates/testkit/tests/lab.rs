//! The lab itself: a real host beside another, that survives its starter's death and leaves nothing.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and starts programs"
)]

use std::process::Command;

use phoenix_testkit::repository;

fn lab(words: &[&str]) -> String {
    let output = Command::new(repository().join("lab/lab"))
        .args(words)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "lab {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The line about one lab; empty when it is not there.
fn status(name: &str) -> String {
    lab(&["status"])
        .lines()
        .filter(|l| l.starts_with(&format!("{name}\t")))
        .collect()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

const FACTS: &str = "cat /proc/1/comm; id -un; systemctl is-system-running; \
    podman info --format '{{.Host.Security.Rootless}} {{.Version.Version}}'; \
    loginctl show-user dev -p Linger; docker version --format '{{.Server.Version}}'";

#[test]
fn a_second_lab_is_a_real_host_survives_a_kill_and_leaves_nothing() {
    let other = std::env::var("PHOENIX_LAB").expect("PHOENIX_LAB is not set: run ./dev test");
    let name = format!("second-{}", std::process::id());
    lab(&["up", &name]);
    assert!(status(&other).contains("\tup\t"), "two at once");
    let facts = lab(&["exec", "-n", &name, "--", "bash", "-c", FACTS]);
    let facts: Vec<&str> = facts.lines().collect();
    assert_eq!(facts[..3], ["systemd", "dev", "running"]);
    assert!(facts[3].starts_with("true 5.4."), "{facts:?}");
    assert_eq!(facts[4], "Linger=yes");
    assert!(facts[5].starts_with("26."), "{facts:?}");

    // kill -9 of what holds it is not in the way of the next `up`.
    let line = status(&name);
    let init = line
        .split('\t')
        .find_map(|w| w.strip_prefix("init "))
        .unwrap();
    let mut kill = Command::new(if is_root() { "kill" } else { "sudo" });
    if !is_root() {
        kill.arg("kill");
    }
    assert!(kill.args(["-9", init]).status().unwrap().success());
    lab(&["up", &name]);
    assert!(status(&name).contains("\tup\t"));

    lab(&["down", &name]);
    assert_eq!(status(&name), "");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&format!("/{name}/")), "{mounts}");
    let left: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|e| std::fs::read(e.path().join("cmdline")).ok())
        .map(|c| String::from_utf8_lossy(&c).replace('\0', " "))
        .filter(|c| c.contains(&name))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
