//! HTTP: the service's own routes, `/healthz`, `/readyz`, `/metrics`, and the end.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::database::Database;
use crate::settings::Settings;

/// A service about to listen.
pub struct Service {
    pub metrics: Registry,
    settings: Settings,
    database: Option<Database>,
}

/// An error as the answer to a request.
pub fn problem(status: StatusCode, message: impl std::fmt::Display) -> Response {
    (
        status,
        Json(serde_json::json!({ "error": message.to_string() })),
    )
        .into_response()
}

impl Service {
    pub fn new(settings: Settings, database: Option<Database>) -> Self {
        Self {
            metrics: Registry::with_prefix("phoenix"),
            settings,
            database,
        }
    }

    /// Listens until SIGTERM or SIGINT; requests that have begun are finished.
    pub async fn serve(
        self,
        routes: Router,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let database = self.database;
        let registry = Arc::new(Mutex::new(self.metrics));
        let ready = move || {
            let database = database.clone();
            async move {
                let Some(database) = database else {
                    return "ready".into_response();
                };
                match database.get() {
                    Ok(client) => match client.simple_query("SELECT 1").await {
                        Ok(_) => "ready".into_response(),
                        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, error),
                    },
                    Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, error),
                }
            }
        };
        let metrics = move || {
            let registry = registry.clone();
            async move {
                let mut text = String::new();
                let registry = registry
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                }
                (
                    [(
                        "content-type",
                        "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    )],
                    text,
                )
                    .into_response()
            }
        };
        let app = routes
            .route("/healthz", get(|| async { "alive" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics));
        let listener = TcpListener::bind(("0.0.0.0", self.settings.port)).await?;
        tracing::info!(port = self.settings.port, "listening");
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        axum::serve(listener, app)
            .with_graceful_shutdown(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("ending");
            })
            .await?;
        Ok(())
    }
}
