//! A gated recurrent unit that sees a window of values and says the next one: as a correction of the
//! better of the two naive forecasts, so that it begins where they end.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, GRUConfig, Linear, Module, Optimizer, ParamsAdamW, RNN, VarBuilder, VarMap, gru, linear,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Values it sees.
const WINDOW: usize = 24;
const HIDDEN: usize = 16;
const ROUNDS: usize = 150;
/// Share of the series that it is judged on.
const HELD_OUT: f64 = 0.15;
/// Values it forecasts.
const HORIZON: usize = 12;
/// Fewest samples worth a training.
pub const LEAST: usize = 4 * WINDOW;

#[derive(Debug, Clone)]
pub struct Trained {
    /// Mean absolute error one step ahead, on the held-out end of the series.
    pub mae: f64,
    /// The same of "as now".
    pub naive_mae: f64,
    /// The same of "as one window ago".
    pub seasonal_mae: f64,
    pub forecast: Vec<f64>,
}

impl Trained {
    pub fn beats_naive(&self) -> bool {
        self.mae < self.naive_mae && self.mae < self.seasonal_mae
    }
}

struct Model {
    gru: candle_nn::GRU,
    out: Linear,
}

impl Model {
    fn new(builder: VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            gru: gru(1, HIDDEN, GRUConfig::default(), builder.pp("gru"))?,
            out: linear(HIDDEN, 1, builder.pp("out"))?,
        })
    }

    /// Windows (n × WINDOW) → the correction of the naive forecast (n).
    fn forward(&self, windows: &Tensor) -> Result<Tensor> {
        let states = self.gru.seq(&windows.unsqueeze(2)?)?;
        match states.last() {
            Some(last) => self.out.forward(last.h())?.squeeze(1),
            None => windows.narrow(1, 0, 1)?.squeeze(1),
        }
    }
}

/// Where the naive forecast stands in a window: "as one window ago", or "as now".
fn naive_position(scaled: &[f32]) -> usize {
    let error = |back: usize| -> f32 {
        (WINDOW..scaled.len())
            .map(|t| (scaled[t] - scaled[t - back]).abs())
            .sum()
    };
    if error(WINDOW) < error(1) {
        0
    } else {
        WINDOW - 1
    }
}

/// Begins the weights the same each time: a forecast is published or not for its series' sake.
fn begin(variables: &VarMap) -> Result<()> {
    let mut random = StdRng::seed_from_u64(7);
    let bound = 1.0 / (HIDDEN as f32).sqrt();
    let all = variables
        .data()
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut names: Vec<&String> = all.keys().collect();
    names.sort();
    for name in names {
        let variable = &all[name];
        let values: Vec<f32> = (0..variable.elem_count())
            .map(|_| random.random_range(-bound..bound))
            .collect();
        variable.set(&Tensor::from_vec(
            values,
            variable.shape(),
            variable.device(),
        )?)?;
    }
    Ok(())
}

/// Trains on all but the end of the series, judges on the end, and forecasts from there.
pub fn train(values: &[f64]) -> Result<Trained> {
    let device = Device::Cpu;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
        .sqrt()
        .max(1e-9);
    let scaled: Vec<f32> = values
        .iter()
        .map(|v| ((v - mean) / spread) as f32)
        .collect();
    let held_out = ((values.len() as f64 * HELD_OUT) as usize).max(WINDOW / 2);
    let split = values.len() - held_out;

    let naive = naive_position(&scaled[..split]);

    let windows = |from: usize, to: usize| -> Result<(Tensor, Tensor)> {
        let count = to - from;
        let x: Vec<f32> = (from..to)
            .flat_map(|t| scaled[t - WINDOW..t].iter().copied())
            .collect();
        let y: Vec<f32> = (from..to)
            .map(|t| scaled[t] - scaled[t - WINDOW + naive])
            .collect();
        Ok((
            Tensor::from_vec(x, (count, WINDOW), &device)?,
            Tensor::from_vec(y, count, &device)?,
        ))
    };
    let (x, y) = windows(WINDOW, split)?;
    let variables = VarMap::new();
    let model = Model::new(VarBuilder::from_varmap(&variables, DType::F32, &device))?;
    begin(&variables)?;
    let mut optimizer = AdamW::new(
        variables.all_vars(),
        ParamsAdamW {
            lr: 0.02,
            ..ParamsAdamW::default()
        },
    )?;
    for round in 0..ROUNDS {
        if round == ROUNDS * 2 / 3 {
            optimizer.set_learning_rate(0.005);
        }
        let loss = (model.forward(&x)? - &y)?.sqr()?.mean_all()?;
        optimizer.backward_step(&loss)?;
    }

    let (x, y) = windows(split, values.len())?;
    let mae = (model.forward(&x)? - &y)?
        .abs()?
        .mean_all()?
        .to_scalar::<f32>()? as f64
        * spread;
    let error = |guess: &dyn Fn(usize) -> f64| {
        (split..values.len())
            .map(|t| (values[t] - guess(t)).abs())
            .sum::<f64>()
            / held_out as f64
    };
    let naive_mae = error(&|t| values[t - 1]);
    let seasonal_mae = error(&|t| values[t - WINDOW]);

    let mut window: Vec<f32> = scaled[scaled.len() - WINDOW..].to_vec();
    let mut forecast = Vec::with_capacity(HORIZON);
    for _ in 0..HORIZON {
        let x = Tensor::from_vec(window.clone(), (1, WINDOW), &device)?;
        let next = window[naive] + model.forward(&x)?.to_vec1::<f32>()?[0];
        forecast.push(f64::from(next) * spread + mean);
        window.remove(0);
        window.push(next);
    }
    Ok(Trained {
        mae,
        naive_mae,
        seasonal_mae,
        forecast,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daily_rhythm_on_a_rising_level_is_learned_and_beats_the_naive_forecasts() {
        let value = |n: usize| {
            let hour = n as f64 * std::f64::consts::TAU / 24.0;
            let noise = ((n * 7919 % 101) as f64 / 101.0 - 0.5) * 0.3;
            10.0 + 0.02 * n as f64 + 3.0 * hour.sin() + (hour * 2.0).cos() + noise
        };
        let values: Vec<f64> = (0..400).map(value).collect();
        let trained = train(&values).unwrap();
        assert!(trained.beats_naive(), "{trained:?}");
        let worst = trained
            .forecast
            .iter()
            .enumerate()
            .map(|(n, v)| (v - value(400 + n)).abs())
            .fold(0.0, f64::max);
        assert!(worst < 1.0, "{worst}");
    }

    #[test]
    fn a_level_that_wanders_is_forecast_from_where_it_is() {
        let value = |n: usize| {
            let noise = ((n * 7919 % 101) as f64 / 101.0 - 0.5) * 0.2;
            20.0 + 0.05 * n as f64 + noise
        };
        let values: Vec<f64> = (0..300).map(value).collect();
        let trained = train(&values).unwrap();
        assert!(trained.beats_naive(), "{trained:?}");
        assert!(
            (trained.forecast[0] - value(300)).abs() < 0.5,
            "{trained:?}"
        );
    }

    #[test]
    fn the_same_series_gives_the_same_forecast() {
        let values: Vec<f64> = (0..200).map(|n| (f64::from(n) / 4.0).sin()).collect();
        assert_eq!(train(&values).unwrap().mae, train(&values).unwrap().mae);
    }
}
