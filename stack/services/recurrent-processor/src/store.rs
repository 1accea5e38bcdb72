//! Series and forecasts in PostgreSQL. The table of samples is gap-detector's.

use tokio_postgres::{Client, Error};

use crate::network::Trained;

pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS models (
    series text PRIMARY KEY,
    trained timestamptz NOT NULL DEFAULT now(),
    samples bigint NOT NULL,
    mae double precision NOT NULL,
    naive_mae double precision NOT NULL,
    seasonal_mae double precision NOT NULL,
    published boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS forecasts (
    series text NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (series, at)
);
";

/// Series with more samples than their model has seen.
pub async fn due(client: &Client) -> Result<Vec<String>, Error> {
    // gap-detector makes the table at its first start.
    let there = client
        .query_one("SELECT to_regclass('samples') IS NOT NULL", &[])
        .await?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client
        .query(
            "SELECT s.series FROM (SELECT series, count(*) AS n FROM samples GROUP BY series) s
             LEFT JOIN models m USING (series) WHERE m.samples IS NULL OR s.n > m.samples ORDER BY s.series",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The last 2000 samples, in the order of time.
pub async fn read(
    client: &Client,
    series: &str,
) -> Result<(Vec<jiff::Timestamp>, Vec<f64>), Error> {
    let rows = client
        .query(
            "SELECT at, value FROM (SELECT at, value FROM samples WHERE series = $1 ORDER BY at DESC LIMIT 2000) s ORDER BY at",
            &[&series],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, jiff::Timestamp>(0), row.get::<_, f64>(1)))
        .unzip())
}

pub async fn remember(
    client: &Client,
    series: &str,
    times: &[jiff::Timestamp],
    trained: &Trained,
) -> Result<(), Error> {
    let published = trained.beats_naive();
    client
        .execute(
            "INSERT INTO models (series, samples, mae, naive_mae, seasonal_mae, published)
             VALUES ($1, (SELECT count(*) FROM samples WHERE series = $1), $2, $3, $4, $5)
             ON CONFLICT (series) DO UPDATE SET trained = now(), samples = excluded.samples, mae = excluded.mae,
             naive_mae = excluded.naive_mae, seasonal_mae = excluded.seasonal_mae, published = excluded.published",
            &[&series, &trained.mae, &trained.naive_mae, &trained.seasonal_mae, &published],
        )
        .await?;
    if !published {
        return Ok(());
    }
    let mut steps: Vec<i64> = times
        .windows(2)
        .map(|w| w[1].as_millisecond() - w[0].as_millisecond())
        .collect();
    steps.sort_unstable();
    let (Some(step), Some(last)) = (steps.get(steps.len() / 2), times.last()) else {
        return Ok(());
    };
    client
        .execute("DELETE FROM forecasts WHERE series = $1", &[&series])
        .await?;
    for (n, value) in trained.forecast.iter().enumerate() {
        let at = jiff::Timestamp::from_millisecond(last.as_millisecond() + step * (n as i64 + 1))
            .unwrap_or(*last);
        client
            .execute(
                "INSERT INTO forecasts (series, at, value) VALUES ($1, $2, $3)",
                &[&series, &at, value],
            )
            .await?;
    }
    Ok(())
}

pub async fn forecasts(client: &Client, series: &str) -> Result<Option<serde_json::Value>, Error> {
    let Some(model) = client
        .query_opt(
            "SELECT mae, naive_mae, seasonal_mae, published FROM models WHERE series = $1",
            &[&series],
        )
        .await?
    else {
        return Ok(None);
    };
    let rows = client
        .query(
            "SELECT at, value FROM forecasts WHERE series = $1 ORDER BY at",
            &[&series],
        )
        .await?;
    let points: Vec<_> = rows
        .iter()
        .map(|row| serde_json::json!({ "at": row.get::<_, jiff::Timestamp>(0), "value": row.get::<_, f64>(1) }))
        .collect();
    Ok(Some(serde_json::json!({
        "series": series, "mae": model.get::<_, f64>(0), "naive_mae": model.get::<_, f64>(1),
        "seasonal_mae": model.get::<_, f64>(2), "published": model.get::<_, bool>(3), "forecast": points,
    })))
}
