//! Settings, all from the environment.

/// `PORT`, and how to reach the database: `DB_HOST`, `DB_PORT`, `DB_USER`, `DB_PASSWORD` (or the
/// file that `DB_PASSWORD_FILE` names), `DB_NAME`.
#[derive(Debug, Clone)]
pub struct Settings {
    pub port: u16,
    pub database: tokio_postgres::Config,
}

impl Settings {
    pub fn from_environment(port: u16) -> Self {
        let get = |name: &str, default: &str| {
            std::env::var(name)
                .ok()
                .filter(|v| !v.is_empty())
                .unwrap_or_else(|| default.to_owned())
        };
        let password = std::env::var("DB_PASSWORD_FILE")
            .ok()
            .and_then(|path| std::fs::read_to_string(path).ok())
            .map_or_else(|| get("DB_PASSWORD", ""), |text| text.trim_end().to_owned());
        let mut database = tokio_postgres::Config::new();
        database
            .host(get("DB_HOST", "db"))
            .port(get("DB_PORT", "5432").parse().unwrap_or(5432))
            .user(get("DB_USER", "postgres"))
            .password(password)
            .dbname(get("DB_NAME", "postgres"))
            .application_name("phoenix-hydra")
            .connect_timeout(std::time::Duration::from_secs(5));
        Self {
            port: get("PORT", "").parse().unwrap_or(port),
            database,
        }
    }

    /// A number from the environment.
    pub fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
        std::env::var(name)
            .ok()
            .and_then(|v| v.parse().ok())
            .unwrap_or(default)
    }
}
