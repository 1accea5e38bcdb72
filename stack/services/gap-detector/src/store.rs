//! Samples and findings in PostgreSQL.

use tokio_postgres::{Client, Error};

use crate::Sample;
use crate::analysis::Analysis;

pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS samples (
    series text NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (series, at)
);
CREATE TABLE IF NOT EXISTS gaps (
    series text NOT NULL,
    started timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    missing bigint NOT NULL,
    PRIMARY KEY (series, started)
);
CREATE TABLE IF NOT EXISTS shifts (
    series text NOT NULL,
    at timestamptz NOT NULL,
    before double precision NOT NULL,
    after double precision NOT NULL,
    PRIMARY KEY (series, at)
);
";

/// Stores samples; one that is there already gets the new value.
pub async fn add(client: &Client, series: &str, samples: &[Sample]) -> Result<u64, Error> {
    let at: Vec<jiff::Timestamp> = samples.iter().map(|s| s.at).collect();
    let value: Vec<f64> = samples.iter().map(|s| s.value).collect();
    client
        .execute(
            "INSERT INTO samples (series, at, value)
             SELECT DISTINCT ON (t.at) $1, t.at, t.value FROM unnest($2::timestamptz[], $3::float8[]) AS t (at, value)
             ON CONFLICT (series, at) DO UPDATE SET value = excluded.value",
            &[&series, &at, &value],
        )
        .await
}

pub async fn series(client: &Client) -> Result<Vec<serde_json::Value>, Error> {
    let rows = client
        .query("SELECT series, count(*), min(at), max(at) FROM samples GROUP BY series ORDER BY series", &[])
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let (first, last): (jiff::Timestamp, jiff::Timestamp) = (row.get(2), row.get(3));
            serde_json::json!({ "series": row.get::<_, String>(0), "samples": row.get::<_, i64>(1), "first": first, "last": last })
        })
        .collect())
}

pub async fn read(
    client: &Client,
    series: &str,
    since: Option<jiff::Timestamp>,
) -> Result<Vec<Sample>, Error> {
    let rows = client
        .query(
            "SELECT at, value FROM samples WHERE series = $1 AND ($2::timestamptz IS NULL OR at >= $2) ORDER BY at",
            &[&series, &since],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Sample {
            at: row.get(0),
            value: row.get(1),
        })
        .collect())
}

/// Findings are kept for reports.
pub async fn remember(client: &Client, series: &str, analysis: &Analysis) -> Result<(), Error> {
    for gap in &analysis.gaps {
        client
            .execute(
                "INSERT INTO gaps (series, started, ended, missing) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (series, started) DO UPDATE SET ended = excluded.ended, missing = excluded.missing",
                &[&series, &gap.from, &gap.to, &gap.missing],
            )
            .await?;
    }
    for shift in &analysis.shifts {
        client
            .execute(
                "INSERT INTO shifts (series, at, before, after) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (series, at) DO UPDATE SET before = excluded.before, after = excluded.after",
                &[&series, &shift.at, &shift.before, &shift.after],
            )
            .await?;
    }
    Ok(())
}

/// The last samples of all series side by side, one row a series, at the times that all have.
pub async fn aligned(client: &Client) -> Result<(Vec<String>, Vec<Vec<f64>>), Error> {
    let rows = client
        .query(
            "WITH common AS (
                 SELECT at FROM samples GROUP BY at
                 HAVING count(*) = (SELECT count(DISTINCT series) FROM samples)
                 ORDER BY at DESC LIMIT 500)
             SELECT series, array_agg(value ORDER BY at) FROM samples JOIN common USING (at)
             GROUP BY series ORDER BY series",
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, String>(0), row.get::<_, Vec<f64>>(1)))
        .unzip())
}
