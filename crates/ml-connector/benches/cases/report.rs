//! What was measured, as a table for people and as medians for machines.

use std::io::Write;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Not more.
    AtMost(f64),
    /// Less.
    Below(f64),
    /// Not less.
    AtLeast(f64),
    /// Nothing is asked of it.
    None,
}

impl Target {
    fn text(self) -> String {
        match self {
            Target::AtMost(limit) => format!("≤ {limit}"),
            Target::Below(limit) => format!("< {limit}"),
            Target::AtLeast(limit) => format!("≥ {limit}"),
            Target::None => String::new(),
        }
    }

    /// Median over limit: below 1 is better, except for `AtLeast`, where above 1 is.
    fn ratio(self, median: f64) -> String {
        match self {
            Target::AtMost(limit) | Target::Below(limit) | Target::AtLeast(limit) if limit > 0.0 => {
                format!("{:.2}", median / limit)
            }
            _ => String::new(),
        }
    }

    fn verdict(self, median: f64) -> &'static str {
        let met = match self {
            Target::AtMost(limit) => median <= limit,
            Target::Below(limit) => median < limit,
            Target::AtLeast(limit) => median >= limit,
            Target::None => return "",
        };
        if met { "met" } else { "missed" }
    }
}

struct Metric {
    name: &'static str,
    target: Target,
    samples: Vec<f64>,
}

/// The figures of one case.
#[derive(Default)]
pub struct Measured {
    metrics: Vec<Metric>,
    notes: Vec<String>,
}

impl Measured {
    /// Adds a figure of one run.
    pub fn add(&mut self, name: &'static str, target: Target, value: f64) {
        match self.metrics.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => metric.samples.push(value),
            None => self.metrics.push(Metric { name, target, samples: vec![value] }),
        }
    }

    /// Adds a sentence that stands below the table.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The table of a case.
    pub fn table(&self, case: &str) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header([case, "median", "min", "max", "spread", "runs", "target", "of target", ""]);
        for metric in &self.metrics {
            let (low, median, high) = (metric.at(0.0), metric.at(0.5), metric.at(1.0));
            let spread =
                if median > 0.0 { format!("{:.0} %", (high - low) / median * 100.0) } else { String::new() };
            table.add_row([
                metric.name.to_owned(),
                figure(median),
                figure(low),
                figure(high),
                spread,
                metric.samples.len().to_string(),
                metric.target.text(),
                metric.target.ratio(median),
                metric.target.verdict(median).to_owned(),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let notes: String = self.notes.iter().map(|note| format!("\n  {note}")).collect();
        format!("{table}{notes}\n")
    }

    /// The medians by name.
    pub fn medians(&self) -> serde_json::Value {
        let medians = self.metrics.iter().map(|m| (m.name.to_owned(), rounded(m.at(0.5)).into()));
        serde_json::Value::Object(medians.collect())
    }
}

impl Metric {
    /// The value at a share of the sorted samples, between two of them when it falls there.
    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let place = share * (sorted.len().saturating_sub(1)) as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        match (sorted.get(below), sorted.get(above)) {
            (Some(low), Some(high)) => low + (high - low) * place.fract(),
            _ => f64::NAN,
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// Writes results to standard output.
pub fn say(text: &str) {
    // nobody reads what a closed pipe takes
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Says on standard error what is being done.
pub fn progress(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "bench: {text}");
}
