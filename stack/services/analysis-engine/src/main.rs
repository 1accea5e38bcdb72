//! analysis-engine: reports in SQL over samples, gaps and forecasts. It only reads.
//!
//! `GET /reports` lists them; `GET /reports/NAME` gives JSON, `?format=csv` gives CSV.

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use phoenix_service::{Database, Service, problem};
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use serde_json::Value;

/// Name, what it tells, and the query; each gives one JSON object a row.
const REPORTS: [(&str, &str, &str); 3] = [
    (
        "coverage",
        "how much of each series is there",
        "SELECT s.series, s.samples, coalesce(g.missing, 0) AS missing,
                round((100.0 * s.samples / (s.samples + coalesce(g.missing, 0)))::numeric, 2)::float8 AS percent
         FROM (SELECT series, count(*) AS samples FROM samples GROUP BY series) s
         LEFT JOIN (SELECT series, sum(missing)::bigint AS missing FROM gaps GROUP BY series) g USING (series)
         ORDER BY percent, series",
    ),
    (
        "daily",
        "level and spread of each series by day",
        "SELECT series, (at AT TIME ZONE 'UTC')::date AS day, count(*) AS samples,
                avg(value) AS mean, stddev_samp(value) AS deviation, min(value) AS least, max(value) AS most
         FROM samples GROUP BY series, day ORDER BY series, day",
    ),
    (
        "forecasts",
        "how well the published forecasts do, and what they say next",
        "SELECT m.series, m.published, m.mae, m.naive_mae, m.seasonal_mae,
                round((100 * (1 - m.mae / nullif(least(m.naive_mae, m.seasonal_mae), 0)))::numeric, 1)::float8 AS gain_percent,
                (SELECT value FROM forecasts f WHERE f.series = m.series ORDER BY at LIMIT 1) AS next
         FROM models m ORDER BY m.series",
    ),
];

struct App {
    database: Database,
    made: Counter,
}

#[derive(Debug, Default, Deserialize)]
struct Form {
    format: Option<String>,
}

fn main() -> ExitCode {
    phoenix_service::run("analysis-engine", 5000, |settings| async {
        // Nothing of its own to set up; a session that cannot write.
        let database = Database::connect(
            settings.database.clone(),
            "SET default_transaction_read_only = on;",
        );
        let mut service = Service::new(settings, Some(database.clone()));
        let made = Counter::default();
        service
            .metrics
            .register("reports_made", "Reports made", made.clone());
        let routes = Router::new()
            .route("/reports", get(list))
            .route("/reports/{name}", get(report))
            .with_state(Arc::new(App { database, made }));
        service.serve(routes).await
    })
}

async fn list() -> Json<Value> {
    Json(
        REPORTS
            .iter()
            .map(|(name, about, _)| serde_json::json!({ "name": name, "about": about }))
            .collect(),
    )
}

async fn report(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(form): Query<Form>,
) -> Response {
    let Some((_, _, query)) = REPORTS.iter().find(|(n, ..)| *n == name) else {
        return problem(
            StatusCode::NOT_FOUND,
            "no such report; GET /reports lists them",
        );
    };
    let client = match app.database.get() {
        Ok(client) => client,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, error),
    };
    let rows = match client
        .query(&format!("SELECT row_to_json(r) FROM ({query}) r"), &[])
        .await
    {
        Ok(rows) => rows,
        Err(error) => return problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    app.made.inc();
    let rows: Vec<Value> = rows.iter().map(|row| row.get(0)).collect();
    match form.format.as_deref() {
        Some("csv") => ([("content-type", "text/csv; charset=utf-8")], csv(&rows)).into_response(),
        None | Some("json") => Json(rows).into_response(),
        Some(_) => problem(StatusCode::BAD_REQUEST, "formats are json and csv"),
    }
}

/// RFC 4180, with the names of the columns first.
fn csv(rows: &[Value]) -> String {
    let mut out = String::new();
    let Some(Value::Object(first)) = rows.first() else {
        return out;
    };
    let cell = |text: String| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let columns: Vec<&String> = first.keys().collect();
    out.push_str(
        &columns
            .iter()
            .map(|c| cell((*c).clone()))
            .collect::<Vec<_>>()
            .join(","),
    );
    out.push_str("\r\n");
    for row in rows {
        let cells = columns.iter().map(|c| match row.get(*c) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => cell(text.clone()),
            Some(other) => other.to_string(),
        });
        out.push_str(&cells.collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::csv;

    #[test]
    fn cells_with_commas_and_quotes_are_quoted() {
        let rows = [
            serde_json::json!({ "a": "x,y", "b": 1.5, "c": null }),
            serde_json::json!({ "a": "q\"", "b": 2, "c": "z" }),
        ];
        assert_eq!(csv(&rows), "a,b,c\r\n\"x,y\",1.5,\r\n\"q\"\"\",2,z\r\n");
    }
}
