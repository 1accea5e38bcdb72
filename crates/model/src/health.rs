//! Health checks.

use phoenix_compose::Service;

use crate::desired::Health;
use crate::lower::Context;

pub(crate) fn lower(context: &mut Context<'_>, name: &str, service: &Service) -> Option<Health> {
    let check = service.healthcheck.as_ref()?;
    let phoenix_compose::Healthcheck {
        test,
        timeout,
        interval,
        retries,
        start_period,
        start_interval,
        disable,
    } = check;
    let none = test.0.first().is_some_and(|t| t == "NONE");
    if *disable || none {
        return Some(Health {
            disabled: true,
            ..Health::default()
        });
    }
    let mut test = Some(test.0.clone()).filter(|t| !t.is_empty());
    if let Some(words) = &mut test
        && words[0] == "CMD-SHELL"
        && words.len() > 2
    {
        // Docker joins them; Podman would drop the rest.
        let line = words[1..].join(" ");
        *words = vec!["CMD-SHELL".into(), line];
        context.warn(
            &["services", name, "healthcheck", "test"],
            "`CMD-SHELL` takes one string",
            "write the whole command line as one string",
        );
    }
    let nanos = |d: &Option<phoenix_compose::Duration>| d.map(|d| d.0).filter(|n| *n > 0);
    Some(Health {
        disabled: false,
        test,
        interval: nanos(interval),
        timeout: nanos(timeout),
        start_period: nanos(start_period),
        start_interval: nanos(start_interval),
        retries: retries.and_then(|r| u64::try_from(r).ok()),
    })
}
