//! recurrent-processor: forecasts series with a small recurrent network, and publishes a forecast
//! only when the network beats the naive ones on data it has not seen.
//!
//! `GET /forecasts?series=` reads; `POST /train?series=` trains now; every `RETRAIN_SECONDS` all
//! series are trained.

mod network;
mod store;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use phoenix_service::{Database, Service, Settings, problem};
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use tokio::sync::Mutex;

struct App {
    database: Database,
    trained: Counter,
    published: Counter,
    /// One training at a time: it takes a whole core.
    training: Mutex<()>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    series: String,
}

fn main() -> ExitCode {
    phoenix_service::run("recurrent-processor", 8000, |settings| async {
        let database = Database::connect(settings.database.clone(), store::SCHEMA);
        let mut service = Service::new(settings, Some(database.clone()));
        let app = Arc::new(App {
            database: database.clone(),
            trained: Counter::default(),
            published: Counter::default(),
            training: Mutex::new(()),
        });
        service
            .metrics
            .register("models_trained", "Networks trained", app.trained.clone());
        service.metrics.register(
            "forecasts_published",
            "Forecasts that beat the naive ones",
            app.published.clone(),
        );
        tokio::spawn(retrain(app.clone(), database));
        let routes = Router::new()
            .route("/forecasts", get(forecasts))
            .route("/train", post(train_now))
            .with_state(app);
        service.serve(routes).await
    })
}

async fn retrain(app: Arc<App>, mut database: Database) {
    let every = Duration::from_secs(Settings::number("RETRAIN_SECONDS", 300));
    loop {
        let client = database.wait().await;
        match store::due(&client).await {
            Ok(names) => {
                for name in names {
                    if let Err(error) = train(&app, &name).await {
                        tracing::warn!(series = name, %error, "not trained");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "cannot list series"),
        }
        tokio::time::sleep(every).await;
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Trains one series; `None` where there is too little of it.
async fn train(app: &App, series: &str) -> Result<Option<network::Trained>, Failure> {
    let _one = app.training.lock().await;
    let client = app.database.get()?;
    let (times, values) = store::read(&client, series).await?;
    if values.len() < network::LEAST {
        return Ok(None);
    }
    let trained = tokio::task::spawn_blocking(move || network::train(&values)).await??;
    app.trained.inc();
    let better = trained.beats_naive();
    tracing::info!(
        series,
        mae = trained.mae,
        naive = trained.naive_mae,
        seasonal = trained.seasonal_mae,
        published = better,
        "trained"
    );
    store::remember(&client, series, &times, &trained).await?;
    if better {
        app.published.inc();
    }
    Ok(Some(trained))
}

async fn train_now(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    match train(&app, &wanted.series).await {
        Ok(Some(trained)) => Json(serde_json::json!({
            "mae": trained.mae, "naive_mae": trained.naive_mae, "seasonal_mae": trained.seasonal_mae,
            "published": trained.beats_naive(),
        }))
        .into_response(),
        Ok(None) => problem(StatusCode::UNPROCESSABLE_ENTITY, format!("fewer than {} samples", network::LEAST)),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

async fn forecasts(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    match store::forecasts(&client, &wanted.series).await {
        Ok(Some(forecast)) => Json(forecast).into_response(),
        Ok(None) => problem(StatusCode::NOT_FOUND, "no forecast of this series yet"),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}
