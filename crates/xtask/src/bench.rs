//! Ours and the peers, side by side on one machine in one run; medians and ratios.
//!
//! The tools take turns within each round, so that whatever else the machine does meets all of
//! them alike. Runs inside the lab: `bench/run.sh` takes it there.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use serde::Serialize;

/// A program that brings compose projects up on Podman.
struct Tool {
    name: &'static str,
    up: &'static [&'static str],
    /// Up, and back when all are healthy; `None` where that is `up` itself.
    wait: &'static [&'static str],
    ps: &'static [&'static str],
    config: &'static [&'static str],
    down: &'static [&'static str],
    /// Takes more than a minute for the chain: fewer rounds of it.
    slow: bool,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "phoenix",
        up: &["up", "-d"],
        wait: &["up", "-d", "--wait"],
        ps: &["ps"],
        config: &["config"],
        down: &["down"],
        slow: false,
    },
    Tool {
        name: "podup",
        up: &["up", "-d"],
        wait: &["up", "-d", "--wait"],
        ps: &["ps"],
        config: &["config"],
        down: &["down"],
        slow: false,
    },
    Tool {
        name: "docker-compose",
        up: &["up", "-d"],
        wait: &["up", "-d", "--wait"],
        ps: &["ps"],
        config: &["config"],
        down: &["down"],
        slow: true,
    },
    Tool {
        name: "podman-compose",
        up: &["up", "-d"],
        wait: &["up", "-d"],
        ps: &["ps"],
        config: &["config"],
        down: &["down"],
        slow: true,
    },
];

/// Services without ties, on one network.
const WIDE: usize = 24;
/// Services that wait for the health of the one before.
const CHAIN: usize = 4;
/// Seconds until each is ready.
const READY_AFTER: u64 = 3;
/// No step may take longer than this.
const LIMIT: Duration = Duration::from_secs(240);

#[derive(Serialize)]
struct Row {
    step: &'static str,
    tool: &'static str,
    /// Seconds; MiB for memory.
    values: Vec<f64>,
    median: f64,
    /// Ours over theirs, of medians.
    ratio_of_ours: f64,
}

type Samples = BTreeMap<(usize, usize), Vec<f64>>;

const STEPS: &[&str] = &[
    "24 services: up -d",
    "24 services: up -d, unchanged",
    "24 services: ps",
    "24 services: config",
    "24 services: down",
    "chain of 4 healthy: up --wait",
    "peak memory of the client, MiB",
];

pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mut rounds = 5;
    let mut slow_rounds = 1;
    let mut only = None;
    let mut place = None;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--rounds" => rounds = rest.next().context("--rounds N")?.parse()?,
            "--slow-rounds" => slow_rounds = rest.next().context("--slow-rounds N")?.parse()?,
            "--only" => only = rest.next().copied(),
            word if !word.starts_with('-') => place = Some(PathBuf::from(word)),
            word => bail!("`{word}` is not known"),
        }
    }
    let place = place.context("a directory to work in")?;
    let wide = project(&place, "wide", &wide_file())?;
    let chain = project(&place, "chain", &chain_file())?;
    let tools: Vec<(usize, &Tool)> = TOOLS
        .iter()
        .enumerate()
        .filter(|(_, t)| is_there(t.name))
        .collect();
    ensure!(tools.iter().any(|(n, _)| *n == 0), "phoenix is not on PATH");

    let mut samples = Samples::new();
    let with = |part: &str| only.is_none_or(|o| o == part);
    for round in 0..rounds {
        if with("wide") {
            for turn in 0..tools.len() {
                let (n, tool) = tools[(turn + round) % tools.len()];
                eprintln!(
                    "round {} of {rounds}: 24 services with {}",
                    round + 1,
                    tool.name
                );
                wake_service()?;
                let steps = [tool.up, tool.up, tool.ps, tool.config, tool.down];
                for (step, words) in steps.into_iter().enumerate() {
                    let seconds = timed(&wide, tool, words)?;
                    samples.entry((step, n)).or_default().push(seconds);
                }
                clear(&wide)?;
            }
        }
        if with("chain") {
            for turn in 0..tools.len() {
                let (n, tool) = tools[(turn + round) % tools.len()];
                if tool.slow && round >= slow_rounds {
                    continue;
                }
                eprintln!(
                    "round {} of {rounds}: the chain with {}",
                    round + 1,
                    tool.name
                );
                wake_service()?;
                let seconds = timed(&chain, tool, tool.wait)?;
                samples.entry((5, n)).or_default().push(seconds);
                timed(&chain, tool, tool.down)?;
                clear(&chain)?;
            }
        }
    }
    if with("memory") {
        for &(n, tool) in &tools {
            let peak = peak_memory(&wide, tool, tool.up)?;
            samples.entry((6, n)).or_default().push(peak);
            clear(&wide)?;
        }
    }
    report(&samples, &place)
}

fn report(samples: &Samples, place: &Path) -> Result<()> {
    let mut rows = Vec::new();
    for (step, title) in STEPS.iter().enumerate() {
        let Some(ours) = samples.get(&(step, 0)).map(|v| median(v)) else {
            continue;
        };
        println!("\n{title}");
        for (n, tool) in TOOLS.iter().enumerate() {
            let Some(values) = samples.get(&(step, n)) else {
                continue;
            };
            let middle = median(values);
            let spread = values.iter().copied().fold(f64::INFINITY, f64::min)
                ..=values.iter().copied().fold(0.0, f64::max);
            println!(
                "  {:<15} {middle:>9.3}   {:>9.3} – {:<9.3} n={}   ours/theirs {:.2}",
                tool.name,
                spread.start(),
                spread.end(),
                values.len(),
                ours / middle
            );
            rows.push(Row {
                step: title,
                tool: tool.name,
                values: values.clone(),
                median: middle,
                ratio_of_ours: ours / middle,
            });
        }
        if step == 5 {
            let ideal = (CHAIN as u64 * READY_AFTER) as f64;
            println!(
                "  {:<15} {ideal:>9.3}   (without any start-up)   ours/ideal {:.2}",
                "ideal",
                ours / ideal
            );
        }
    }
    let file = place.join("bench.json");
    fs::write(&file, serde_json::to_vec_pretty(&rows)?)?;
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        (sorted[middle - 1] + sorted[middle]) / 2.0
    }
}

fn project(place: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let directory = place.join(format!("bench-{name}"));
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("compose.yaml"), text)?;
    Ok(directory)
}

/// Each ends at once when it is told to, whatever its tool does about an init process.
fn wide_file() -> String {
    let mut out = String::from("name: bench-wide\nservices:\n");
    for n in 1..=WIDE {
        out.push_str(&format!(
            "  s{n:02}:\n    image: docker.io/library/busybox:latest\n    command: [\"sh\", \"-c\", \"trap exit TERM; sleep 1000 & wait\"]\n"
        ));
    }
    out
}

fn chain_file() -> String {
    let mut out = String::from("name: bench-chain\nservices:\n");
    for n in 1..=CHAIN {
        out.push_str(&format!(
            "  c{n}:\n    image: docker.io/library/busybox:latest\n    command: [\"sh\", \"-c\", \"trap exit TERM; sleep {READY_AFTER}; touch /tmp/ready; sleep 1000 & wait\"]\n    \
             healthcheck: {{test: [\"CMD\", \"test\", \"-f\", \"/tmp/ready\"]}}\n"
        ));
        if n > 1 {
            out.push_str(&format!(
                "    depends_on: {{c{}: {{condition: service_healthy}}}}\n",
                n - 1
            ));
        }
    }
    out
}

fn is_there(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|d| d.join(program).is_file()));
    if !found {
        eprintln!("{program} is not here and is left out");
    }
    found
}

fn command(directory: &Path, tool: &Tool, words: &[&str]) -> Command {
    let mut command = Command::new(tool.name);
    command
        .args(words)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Seconds that one command took. A failure ends the bench: a fast failure is no result.
fn timed(directory: &Path, tool: &Tool, words: &[&str]) -> Result<f64> {
    let began = Instant::now();
    let mut child = command(directory, tool, words)
        .spawn()
        .with_context(|| tool.name.to_owned())?;
    let waiter = {
        let (send, receive) = std::sync::mpsc::channel();
        let id = child.id();
        std::thread::spawn(move || {
            if receive.recv_timeout(LIMIT).is_err() {
                let _ = Command::new("kill").arg(id.to_string()).status();
            }
        });
        send
    };
    let status = child.wait()?;
    let seconds = began.elapsed().as_secs_f64();
    let _ = waiter.send(());
    ensure!(
        status.success(),
        "`{} {}` ended with {status} after {seconds:.1} s",
        tool.name,
        words.join(" ")
    );
    Ok(seconds)
}

/// The high-water mark of the client's resident memory, in MiB: of the process itself, not of those
/// it starts.
fn peak_memory(directory: &Path, tool: &Tool, words: &[&str]) -> Result<f64> {
    let mut child = command(directory, tool, words).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0.0;
    while child.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text
            .lines()
            .find_map(|l| l.strip_prefix("VmHWM:"))
            .and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
        if let Some(kib) = mark {
            peak = kib / 1024.0;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}

/// Nothing of one tool is left for the next.
fn clear(directory: &Path) -> Result<()> {
    let name = directory
        .file_name()
        .context("a directory with a name")?
        .to_string_lossy()
        .into_owned();
    let pod = format!("pod_{name}");
    quiet(&["pod", "rm", "-f", "-t", "0", "--ignore", &pod])?;
    let listed = Command::new("podman")
        .args(["ps", "-aq", "--filter", &format!("name=^{name}[-_]")])
        .output()?;
    let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
    for id in ids.split_whitespace() {
        quiet(&["rm", "-f", "-t", "0", id])?;
    }
    quiet(&["network", "rm", "-f", &format!("{name}_default")])
}

/// Podman's service ends some seconds after its last caller: without this, whoever comes after a
/// tool that does not use it would pay for its start.
fn wake_service() -> Result<()> {
    let runtime = std::env::var("XDG_RUNTIME_DIR").context("XDG_RUNTIME_DIR")?;
    let mut stream = UnixStream::connect(Path::new(&runtime).join("podman/podman.sock"))
        .context("Podman's socket: systemctl --user start podman.socket")?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(
        answer.starts_with("HTTP/1.1 200"),
        "Podman's service answers {answer}"
    );
    Ok(())
}

fn quiet(words: &[&str]) -> Result<()> {
    Command::new("podman")
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_even_and_odd() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
