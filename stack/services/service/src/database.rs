//! One connection to PostgreSQL that comes back by itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::{Client, Config, NoTls};

/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Serialises the set-up of tables among services that start at once.
const SETUP_LOCK: i64 = 0x7068_6f65_6e69_78;

/// The database is not there at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Unavailable;

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database is not reachable")
    }
}

impl std::error::Error for Unavailable {}

/// A handle; clones share the connection.
#[derive(Clone)]
pub struct Database {
    client: watch::Receiver<Option<Arc<Client>>>,
}

impl Database {
    /// Connects in the background, again and again, and runs `setup` (idempotent SQL) each time.
    pub fn connect(config: Config, setup: &'static str) -> Self {
        let (sender, client) = watch::channel(None);
        tokio::spawn(async move {
            let mut pause = Duration::from_millis(100);
            loop {
                match open(&config, setup).await {
                    Ok((client, connection)) => {
                        tracing::info!("connected to the database");
                        pause = Duration::from_millis(100);
                        let _ = sender.send(Some(Arc::new(client)));
                        let end = connection.await;
                        let _ = sender.send(None);
                        tracing::warn!(reason = ?end, "lost the database");
                    }
                    Err(error) => {
                        tracing::warn!(error = %detail(&error), retry_ms = pause.as_millis() as u64, "no database yet");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
                if sender.is_closed() {
                    return;
                }
            }
        });
        Self { client }
    }

    pub fn get(&self) -> Result<Arc<Client>, Unavailable> {
        self.client
            .borrow()
            .clone()
            .filter(|c| !c.is_closed())
            .ok_or(Unavailable)
    }

    /// Until it is there.
    pub async fn wait(&mut self) -> Arc<Client> {
        loop {
            if let Ok(client) = self.get() {
                return client;
            }
            if self.client.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

fn detail(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn open(
    config: &Config,
    setup: &str,
) -> Result<
    (
        Client,
        impl Future<Output = Result<(), tokio_postgres::Error>>,
    ),
    tokio_postgres::Error,
> {
    let (client, connection) = config.connect(NoTls).await?;
    let mut connection = tokio::spawn(connection);
    let prepare = async {
        client
            .execute("SELECT pg_advisory_lock($1)", &[&SETUP_LOCK])
            .await?;
        let result = client.batch_execute(setup).await;
        client
            .execute("SELECT pg_advisory_unlock($1)", &[&SETUP_LOCK])
            .await?;
        result
    };
    tokio::select! {
        result = prepare => result?,
        _ = &mut connection => {}
    }
    Ok((client, async move { connection.await.unwrap_or(Ok(())) }))
}
