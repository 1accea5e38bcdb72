//! gap-detector: stores samples of time series and finds what is wrong in them.
//!
//! `POST /samples` stores; `GET /gaps?series=` finds missing intervals and level shifts;
//! `GET /outliers` finds the series that behave unlike the others.

mod analysis;
mod store;

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use phoenix_service::{Database, Service, problem};
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};

/// Most samples in one request.
const MOST_SAMPLES: usize = 100_000;

#[derive(Clone)]
struct App {
    database: Database,
    stored: Counter,
    analysed: Counter,
}

#[derive(Debug, Deserialize)]
struct Samples {
    series: String,
    samples: Vec<Sample>,
}

/// A value at a time (RFC 3339).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    pub at: jiff::Timestamp,
    pub value: f64,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    series: String,
    since: Option<jiff::Timestamp>,
}

fn main() -> ExitCode {
    phoenix_service::run("gap-detector", 8000, |settings| async {
        let database = Database::connect(settings.database.clone(), store::SCHEMA);
        let mut service = Service::new(settings, Some(database.clone()));
        let app = App {
            database,
            stored: Counter::default(),
            analysed: Counter::default(),
        };
        service
            .metrics
            .register("samples_stored", "Samples written", app.stored.clone());
        service
            .metrics
            .register("series_analysed", "Analyses made", app.analysed.clone());
        let routes = Router::new()
            .route("/samples", post(add))
            .route("/series", get(series))
            .route("/gaps", get(gaps))
            .route("/outliers", get(outliers))
            .with_state(Arc::new(app));
        service.serve(routes).await
    })
}

async fn add(State(app): State<Arc<App>>, Json(body): Json<Samples>) -> Response {
    if body.series.is_empty() || body.series.len() > 200 {
        return problem(
            StatusCode::BAD_REQUEST,
            "a series has a name of 1 to 200 bytes",
        );
    }
    if body.samples.len() > MOST_SAMPLES || body.samples.iter().any(|s| !s.value.is_finite()) {
        return problem(
            StatusCode::BAD_REQUEST,
            "at most 100000 finite samples at once",
        );
    }
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    match store::add(&client, &body.series, &body.samples).await {
        Ok(stored) => {
            app.stored.inc_by(stored);
            tracing::info!(series = body.series, stored, "samples stored");
            (
                StatusCode::CREATED,
                Json(serde_json::json!({ "stored": stored })),
            )
                .into_response()
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn series(State(app): State<Arc<App>>) -> Response {
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    match store::series(&client).await {
        Ok(list) => Json(list).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn gaps(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    let samples = match store::read(&client, &wanted.series, wanted.since).await {
        Ok(samples) if samples.is_empty() => {
            return problem(StatusCode::NOT_FOUND, "no samples of this series");
        }
        Ok(samples) => samples,
        Err(error) => return problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    app.analysed.inc();
    // Bayesian arithmetic over thousands of points is not for the event loop.
    match tokio::task::spawn_blocking(move || analysis::analyse(&samples)).await {
        Ok(analysis) => {
            if let Err(error) = store::remember(&client, &wanted.series, &analysis).await {
                return problem(StatusCode::INTERNAL_SERVER_ERROR, error);
            }
            Json(analysis).into_response()
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn outliers(State(app): State<Arc<App>>) -> Response {
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    match store::aligned(&client).await {
        Ok((names, rows)) => {
            Json(serde_json::json!({ "outliers": analysis::outliers(&names, &rows) }))
                .into_response()
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}
