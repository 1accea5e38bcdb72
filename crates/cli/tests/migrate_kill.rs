//! kill -9 at every step of the journal: afterwards the tree can always be brought to one of two
//! states, as it was or fully migrated.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and touches the disk"
)]

use phoenix_testkit::{HostProject, repository};

const PHOENIX: &str = env!("CARGO_BIN_EXE_phoenix");

fn stack() -> HostProject {
    let mut project = HostProject::new();
    for path in [
        "compose.yaml",
        ".env",
        "deploy.sh",
        "verify.sh",
        "nginx/Dockerfile",
        "rubik-agent/Dockerfile",
        "gap-detector/Dockerfile",
        "recurrent-processor/Dockerfile",
        "analysis-engine/Dockerfile",
    ] {
        project = project.file(
            path,
            std::fs::read(repository().join("stack/docker").join(path)).unwrap(),
        );
    }
    project
}

#[test]
fn every_kill_can_be_undone_or_finished() {
    let project = stack();
    let before = project.tree();
    project.run(PHOENIX, &["migrate", "--apply"], &[]).ok();
    let migrated = project.tree();
    project.run(PHOENIX, &["rollback"], &[]).ok();
    assert_eq!(project.tree(), before);

    let mut kills = 0;
    for step in 1.. {
        let at = step.to_string();
        let killed = project
            .run(
                PHOENIX,
                &["migrate", "--apply"],
                &[("PHOENIX_KILL_AT", &at)],
            )
            .code
            != 0;
        if !killed {
            // The run came through: there are no more steps.
            project.run(PHOENIX, &["rollback"], &[]).ok();
            break;
        }
        kills += 1;
        if step % 2 == 0 {
            let ran = project.run(PHOENIX, &["rollback"], &[]);
            assert!(
                ran.code == 0 || ran.stderr.contains("no migration to undo"),
                "step {step}: {}",
                ran.stderr
            );
            assert_eq!(project.tree(), before, "step {step}: rollback");
        } else {
            let ran = project.run(PHOENIX, &["migrate", "--apply"], &[]);
            assert!(
                ran.code == 0 || ran.stderr.contains("migrated already"),
                "step {step}: {}",
                ran.stderr
            );
            assert_eq!(
                without_state(project.tree()),
                without_state(migrated.clone()),
                "step {step}: apply again"
            );
            project.run(PHOENIX, &["rollback"], &[]).ok();
            assert_eq!(project.tree(), before, "step {step}: back");
        }
    }
    assert!(kills > 20, "only {kills} steps could be killed at");

    // The way back, killed as well.
    for step in 1.. {
        project.run(PHOENIX, &["migrate", "--apply"], &[]).ok();
        let at = step.to_string();
        let killed = project
            .run(PHOENIX, &["rollback"], &[("PHOENIX_KILL_AT", &at)])
            .code
            != 0;
        if killed {
            let ran = project.run(PHOENIX, &["rollback"], &[]);
            assert!(
                ran.code == 0 || ran.stderr.contains("no migration to undo"),
                "step {step}: {}",
                ran.stderr
            );
        }
        assert_eq!(project.tree(), before, "rollback killed at {step}");
        if !killed {
            break;
        }
    }
}

/// Times in the journal do not count; what is in the project does.
fn without_state(
    tree: Vec<(std::path::PathBuf, String, u32)>,
) -> Vec<(std::path::PathBuf, String, u32)> {
    tree.into_iter()
        .filter(|(path, ..)| !path.starts_with(".phoenix"))
        .collect()
}
