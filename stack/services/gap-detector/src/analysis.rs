//! Missing intervals, level shifts, outliers.

use augurs::changepoint::{Detector, NormalGammaDetector};
use augurs::outlier::{DbscanDetector, OutlierDetector};
use serde::Serialize;

use crate::Sample;

/// A gap is longer than the usual interval and this many usual deviations.
const DEVIATIONS: f64 = 6.0;
/// Level shifts are looked for in this many samples from the end.
const WINDOW: usize = 2_000;
/// Samples on each side that a level is measured over.
const LEVEL: usize = 12;

#[derive(Debug, Serialize)]
pub struct Analysis {
    pub samples: usize,
    /// Seconds between samples, usually (their median).
    pub interval_seconds: f64,
    pub gaps: Vec<Gap>,
    pub shifts: Vec<Shift>,
}

/// Nothing between two samples, where something belongs.
#[derive(Debug, Serialize)]
pub struct Gap {
    pub from: jiff::Timestamp,
    pub to: jiff::Timestamp,
    pub missing: i64,
}

/// From here on the values are at another level.
#[derive(Debug, Serialize)]
pub struct Shift {
    pub at: jiff::Timestamp,
    pub before: f64,
    pub after: f64,
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Samples must be in the order of time.
pub fn analyse(samples: &[Sample]) -> Analysis {
    let seconds: Vec<f64> = samples
        .windows(2)
        .map(|w| w[1].at.duration_since(w[0].at).as_secs_f64())
        .collect();
    let usual = median(&mut seconds.clone());
    let deviation = median(
        &mut seconds
            .iter()
            .map(|s| (s - usual).abs())
            .collect::<Vec<_>>(),
    );
    // Regular series have no deviation at all: then half an interval is the measure.
    let limit = usual + (DEVIATIONS * deviation).max(usual * 0.5);
    let gaps = samples
        .windows(2)
        .zip(&seconds)
        .filter(|(_, s)| usual > 0.0 && **s > limit)
        .map(|(w, s)| Gap {
            from: w[0].at,
            to: w[1].at,
            missing: ((s / usual).round() as i64 - 1).max(1),
        })
        .collect();
    Analysis {
        samples: samples.len(),
        interval_seconds: usual,
        gaps,
        shifts: shifts(samples, usual),
    }
}

/// The values without what repeats each day: the usual value of the time of day is taken away, where
/// there are three days to know it from.
fn without_rhythm(samples: &[Sample], interval: f64) -> Vec<f64> {
    const DAY: f64 = 86_400.0;
    let slots = (DAY / interval.max(1.0)).round();
    let days = samples.last().map_or(0.0, |l| {
        l.at.duration_since(samples[0].at).as_secs_f64() / DAY
    });
    let values: Vec<f64> = samples.iter().map(|s| s.value).collect();
    if !(4.0..=1440.0).contains(&slots) || days < 3.0 {
        return values;
    }
    let slot = |s: &Sample| {
        (s.at.as_second().rem_euclid(DAY as i64) as f64 / interval).round() as usize
            % slots as usize
    };
    let mut by_slot: Vec<Vec<f64>> = vec![Vec::new(); slots as usize];
    for sample in samples {
        by_slot[slot(sample)].push(sample.value);
    }
    let usual: Vec<f64> = by_slot.iter_mut().map(|v| median(v)).collect();
    let level = median(&mut values.clone());
    samples
        .iter()
        .map(|s| s.value - usual[slot(s)] + level)
        .collect()
}

fn shifts(samples: &[Sample], interval: f64) -> Vec<Shift> {
    let samples = &samples[samples.len().saturating_sub(WINDOW)..];
    if samples.len() < 2 * LEVEL {
        return Vec::new();
    }
    // The detector's prior is for values around zero with a spread of one.
    let values = without_rhythm(samples, interval);
    let steps: Vec<f64> = values.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let noise = (median(&mut steps.clone()) / 0.954).max(f64::EPSILON);
    let centre = median(&mut values.clone());
    let scaled: Vec<f64> = values.iter().map(|v| (v - centre) / noise).collect();
    let mut found: Vec<Shift> = Vec::new();
    for at in NormalGammaDetector::default().detect_changepoints(&scaled) {
        let (low, high) = (at.saturating_sub(LEVEL), (at + LEVEL).min(values.len()));
        if at < LEVEL || high - at < LEVEL / 2 {
            continue;
        }
        let before = median(&mut values[low..at].to_vec());
        let after = median(&mut values[at..high].to_vec());
        // Only what stands out of the noise on both sides is a level.
        if (after - before).abs() > 4.0 * noise {
            found.push(Shift {
                at: samples[at].at,
                before,
                after,
            });
        }
    }
    found
}

/// Names of the series that behave unlike the others.
pub fn outliers(names: &[String], rows: &[Vec<f64>]) -> Vec<String> {
    if rows.len() < 3 || rows[0].is_empty() {
        return Vec::new();
    }
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let Ok(detector) = DbscanDetector::with_sensitivity(0.5) else {
        return Vec::new();
    };
    let found = detector
        .preprocess(&rows)
        .and_then(|data| detector.detect(&data));
    match found {
        Ok(output) => names
            .iter()
            .enumerate()
            .filter(|(n, _)| output.is_outlier(*n))
            .map(|(_, n)| n.clone())
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "no outlier detection");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = (i64, f64)>) -> Vec<Sample> {
        values
            .into_iter()
            .map(|(second, value)| Sample {
                at: jiff::Timestamp::from_second(1_700_000_000 + second).unwrap(),
                value,
            })
            .collect()
    }

    /// Noise without a generator: small, and the same each time.
    fn noise(n: i64) -> f64 {
        ((n * 7919 % 101) as f64 / 101.0 - 0.5) * 0.4
    }

    #[test]
    fn missing_intervals_are_found_and_counted() {
        let samples = series(
            (0..100)
                .filter(|n| !(40..45).contains(n))
                .map(|n| (n * 60, noise(n))),
        );
        let analysis = analyse(&samples);
        assert_eq!(analysis.interval_seconds, 60.0);
        assert_eq!(analysis.gaps.len(), 1);
        assert_eq!(analysis.gaps[0].missing, 5);
    }

    #[test]
    fn a_level_shift_is_found_where_it_is() {
        let samples =
            series((0..200).map(|n| (n * 60, noise(n) + if n < 100 { 10.0 } else { 16.0 })));
        let analysis = analyse(&samples);
        let at = &analysis
            .shifts
            .iter()
            .find(|s| (s.after - s.before).abs() > 4.0)
            .expect("a shift");
        let index = samples.iter().position(|s| s.at == at.at).unwrap();
        assert!((98..=102).contains(&index), "{index}");
        assert!(
            analyse(&series((0..200).map(|n| (n * 60, noise(n)))))
                .shifts
                .is_empty()
        );
    }

    #[test]
    fn a_daily_rhythm_is_no_shift() {
        let value =
            |n: i64| 10.0 + 3.0 * (n as f64 * std::f64::consts::TAU / 24.0).sin() + noise(n);
        let samples = series((0..240).map(|n| (n * 3600, value(n))));
        assert!(analyse(&samples).shifts.is_empty());
        let risen =
            series((0..240).map(|n| (n * 3600, value(n) + if n < 150 { 0.0 } else { 5.0 })));
        assert_eq!(analyse(&risen).shifts.len(), 1);
    }

    #[test]
    fn the_series_unlike_the_others_is_found() {
        let names: Vec<String> = (0..6).map(|n| format!("s{n}")).collect();
        let rows: Vec<Vec<f64>> = (0..6)
            .map(|s| {
                (0..100)
                    .map(|n| noise(n + s) + if s == 4 && n > 20 { 30.0 } else { 0.0 })
                    .collect()
            })
            .collect();
        assert_eq!(outliers(&names, &rows), ["s4"]);
    }
}
