//! A dry run as a page for a browser: one file that needs no other, written entry by entry.

use std::io::{BufWriter, Write};
use std::path::Path;

use connector::dry_run::report::{Entry, Report, estimate};
use connector::store::connections::Connection;
use connector::{Code, Error};
use maud::{PreEscaped, html};

use super::dry_run::title;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%;margin:.3rem 0 1.4rem}th,td{text-align:left;padding:.25rem .6rem;\
border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}h2{font-size:1rem;margin:0}\
.old{color:#a33;text-decoration:line-through}.new{color:#175}.held{color:#a60}";

/// Writes the page.
pub fn write(file: &Path, connection: &Connection, report: &mut Report) -> anyhow::Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(Code::DryRunReport, format!("{} cannot be written", file.display())).because(error)
    };
    let mut page = BufWriter::new(std::fs::File::create(file).map_err(failed)?);
    page.write_all(head(connection, report).as_bytes()).map_err(failed)?;
    for place in 0..report.len() {
        if let Some(entry) = report.entry(place)? {
            page.write_all(section(&entry).as_bytes()).map_err(failed)?;
        }
    }
    page.write_all(b"</body></html>\n").and_then(|()| page.flush()).map_err(failed)?;
    Ok(())
}

fn head(connection: &Connection, report: &Report) -> String {
    let counts = &report.counts;
    let name = &connection.name;
    let above = html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width";
        title { "Dry run of " (name) }
        style { (PreEscaped(STYLE)) }
    };
    let top = html! {
        h1 { "Dry run of " (name) }
        p { "What a synchronisation would write to Asana. Nothing was written." }
        @if !report.whole { p.held { "Only a part was looked at." } }
        table {
            tr { th { "tasks that would be made" } td { (counts.created) } }
            tr { th { "tasks that would be changed" } td { (counts.updated) } }
            tr { th { "records that need no write" } td { (counts.unchanged) } }
            tr { th { "records that would be held" } td { (counts.held) } }
            tr { th { "the synchronisation" } td { (estimate(counts, &connection.settings)) } }
        }
        @if report.mapping.says().next().is_some() {
            h2 { "What the mapping gave over all tasks" }
            table {
                @for (place, words) in report.mapping.says() { tr { th { (place) } td { (words) } } }
            }
        }
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head>{}</head><body>{}",
        above.into_string(),
        top.into_string()
    )
}

fn section(entry: &Entry) -> String {
    let part = html! {
        h2 { (title(entry)) }
        table {
            @if let Some(code) = &entry.code {
                tr { td.held { (code) ": " (entry.reason.as_deref().unwrap_or_default()) } }
            }
            @for value in &entry.values {
                tr {
                    th { (value.purpose) }
                    td.old { (value.old.as_deref().unwrap_or_default()) }
                    td.new { (value.new.as_deref().unwrap_or_default()) }
                }
            }
            @for note in &entry.notes { tr { td colspan="3" { (note) } } }
        }
    };
    part.into_string()
}
