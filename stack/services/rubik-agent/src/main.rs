//! rubik-agent: solves cubes in at most 21 moves, asked over HTTP or through a table of jobs.
//!
//! `POST /solve` with `{"facelets": …}` or `{"scramble": …}`; rows of `cube_jobs` in the state
//! `waiting` are taken (several agents may run), solved, and marked `done` or `failed`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use phoenix_service::{Database, Service, Settings, problem};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use serde::{Deserialize, Serialize};

/// God's number in the half-turn metric is 20; the two-phase search is asked for one more.
const MOST_MOVES: u8 = 21;
const SOLVED: &str = "UUUUUUUUURRRRRRRRRFFFFFFFFFDDDDDDDDDLLLLLLLLLBBBBBBBBB";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS cube_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facelets text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    solution text,
    error text,
    created timestamptz NOT NULL DEFAULT now(),
    finished timestamptz
);
CREATE INDEX IF NOT EXISTS cube_jobs_waiting ON cube_jobs (id) WHERE state = 'waiting';
";

#[derive(Clone)]
struct App {
    solved: Counter,
    seconds: Histogram,
}

#[derive(Debug, Deserialize)]
struct Cube {
    facelets: Option<String>,
    /// Moves from the solved cube: `R U R' U'`.
    scramble: Option<String>,
}

#[derive(Debug, Serialize, PartialEq)]
struct Solution {
    facelets: String,
    moves: Vec<String>,
}

fn main() -> ExitCode {
    phoenix_service::run("rubik-agent", 8000, |settings| async {
        let database = Database::connect(settings.database.clone(), SCHEMA);
        let mut service = Service::new(settings, Some(database.clone()));
        let app = App {
            solved: Counter::default(),
            seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 12)),
        };
        service
            .metrics
            .register("cubes_solved", "Cubes solved", app.solved.clone());
        service
            .metrics
            .register("solve_seconds", "Time to solve a cube", app.seconds.clone());
        tokio::spawn(work(app.clone(), database));
        let routes = Router::new()
            .route("/solve", post(solve_now))
            .with_state(Arc::new(app));
        service.serve(routes).await
    })
}

/// Solves a cube and checks the solution by playing it.
fn solve(facelets: &str) -> Result<Solution, String> {
    if facelets.len() != 54 || !facelets.bytes().all(|b| b"URFDLB".contains(&b)) {
        return Err("a cube has 54 facelets of U, R, F, D, L and B".into());
    }
    let cube = facelets.to_owned();
    let found = min2phase::solve(&cube, MOST_MOVES);
    if found.starts_with("Error") {
        return Err(format!("this is not a cube that can be solved ({found})"));
    }
    let moves: Vec<String> = found.split_whitespace().map(str::to_owned).collect();
    let end = min2phase::apply_moves(&cube, &moves.join(" "));
    if end.as_deref() != Some(SOLVED) {
        return Err("the solution does not solve the cube".into());
    }
    Ok(Solution {
        facelets: cube,
        moves,
    })
}

impl App {
    async fn solve(&self, facelets: String) -> Result<Solution, String> {
        let began = Instant::now();
        let result = tokio::task::spawn_blocking(move || solve(&facelets))
            .await
            .map_err(|e| e.to_string())?;
        if result.is_ok() {
            self.solved.inc();
            self.seconds.observe(began.elapsed().as_secs_f64());
        }
        result
    }
}

async fn solve_now(State(app): State<Arc<App>>, Json(cube): Json<Cube>) -> Response {
    let facelets = match (cube.facelets, cube.scramble) {
        (Some(facelets), _) => facelets,
        (None, Some(moves)) => match min2phase::from_moves(&moves) {
            Some(facelets) => facelets,
            None => {
                return problem(
                    StatusCode::BAD_REQUEST,
                    "the scramble has moves that are none",
                );
            }
        },
        (None, None) => return problem(StatusCode::BAD_REQUEST, "give `facelets` or `scramble`"),
    };
    match app.solve(facelets).await {
        Ok(solution) => Json(solution).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

async fn work(app: App, mut database: Database) {
    let idle = Duration::from_millis(Settings::number("JOB_POLL_MS", 1000));
    loop {
        let client = database.wait().await;
        match next_job(&client, &app).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(idle).await,
            Err(error) => {
                tracing::warn!(%error, "no jobs");
                tokio::time::sleep(idle).await;
            }
        }
    }
}

/// Takes one job; false when none waits. A row that is locked belongs to another agent.
async fn next_job(
    client: &tokio_postgres::Client,
    app: &App,
) -> Result<bool, tokio_postgres::Error> {
    let job = client
        .query_opt(
            "UPDATE cube_jobs SET state = 'working' WHERE id = (
                 SELECT id FROM cube_jobs WHERE state = 'waiting' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
             RETURNING id, facelets",
            &[],
        )
        .await?;
    let Some(job) = job else { return Ok(false) };
    let (id, facelets): (i64, String) = (job.get(0), job.get(1));
    let (state, solution, error) = match app.solve(facelets).await {
        Ok(solution) => ("done", Some(solution.moves.join(" ")), None),
        Err(error) => ("failed", None, Some(error)),
    };
    client
        .execute(
            "UPDATE cube_jobs SET state = $2, solution = $3, error = $4, finished = now() WHERE id = $1",
            &[&id, &state, &solution, &error],
        )
        .await?;
    tracing::info!(id, state, "job finished");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_cubes_are_solved_within_21_moves() {
        for _ in 0..50 {
            let solution = solve(&min2phase::random_cube()).unwrap();
            assert!(solution.moves.len() <= usize::from(MOST_MOVES));
        }
    }

    #[test]
    fn what_is_no_cube_is_refused() {
        assert!(solve("UUU").is_err());
        // One corner twisted.
        let mut twisted: Vec<char> = SOLVED.chars().collect();
        twisted.swap(8, 9);
        assert!(solve(&twisted.into_iter().collect::<String>()).is_err());
    }
}
