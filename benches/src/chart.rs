//! A bar chart of one table: each of ours, and each limit, by the best peer, on a logarithmic axis.

use std::fmt::Write;

use crate::library::Standing;
use crate::row::Row;
use crate::table::Table;

const WIDTH: f64 = 860.0;
/// The names of the workloads stand left of it.
const LEFT: f64 = 270.0;
/// Room for a label behind the longest bar.
const RIGHT: f64 = 170.0;
const TOP: f64 = 64.0;
const BAR: f64 = 12.0;
const BETWEEN_ROWS: f64 = 10.0;
const TICKS: [f64; 13] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];
const STYLE: &str = "\
    svg { background: #fff; font: 12px sans-serif; fill: #222 } \
    .title { font-size: 15px; font-weight: bold } .small { fill: #555; font-size: 11px } \
    .grid { stroke: #ddd } .one { stroke: #222 } \
    .ahead { fill: #2a7f4f } .behind { fill: #c4622d } .limit { fill: #9aa4b1 } \
    @media (prefers-color-scheme: dark) { svg { background: #16181c; fill: #e6e6e6 } \
    .small { fill: #a8adb5 } .grid { stroke: #33373d } .one { stroke: #e6e6e6 } \
    .ahead { fill: #4fb37f } .behind { fill: #e08a55 } .limit { fill: #5b6572 } }";

/// One bar.
struct Bar {
    label: String,
    ratio: f64,
    class: &'static str,
}

/// The chart as an SVG file; left of the line at 1 is ahead of every peer.
pub(crate) fn svg(table: &Table<'_>, group: &str) -> String {
    let rows: Vec<_> = table.rows.iter().map(|row| bars(table, row)).collect();
    let axis = Axis::over(rows.iter().flatten().map(|bar| bar.ratio));
    let bars: usize = rows.iter().map(Vec::len).sum();
    let height = TOP + bars as f64 * BAR + rows.len() as f64 * BETWEEN_ROWS + 8.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\">\
         <style>{STYLE}</style>\n\
         <text class=\"title\" x=\"8\" y=\"20\">{group}: {} ÷ best peer</text>\n\
         <text class=\"small\" x=\"8\" y=\"36\">left of 1: ahead of every peer; grey: limits that \
         are no libraries</text>\n",
        table.title()
    );
    text += &axis.grid(height);
    let mut y = TOP;
    for (row, bars) in table.rows.iter().zip(&rows) {
        let _ = writeln!(
            text,
            "<text x=\"8\" y=\"{:.0}\">{}</text>",
            y + 10.0,
            row.workload
        );
        for bar in bars {
            text += &axis.bar(bar, y);
            y += BAR;
        }
        y += BETWEEN_ROWS;
    }
    text + "</svg>\n"
}

fn bars(table: &Table<'_>, row: &Row) -> Vec<Bar> {
    let entries = table.entries(Standing::Ours);
    let entries = entries.chain(table.entries(Standing::Limit));
    let bars = entries.filter_map(|entry| {
        let ratio = table.ratio(row, entry).filter(|ratio| *ratio > 0.0)?;
        let class = match entry.standing {
            Standing::Limit => "limit",
            _ if ratio <= 1.0 => "ahead",
            _ => "behind",
        };
        Some(Bar {
            label: format!("{ratio:.2} {}", entry.name),
            ratio,
            class,
        })
    });
    bars.collect()
}

/// From ratios to places.
struct Axis {
    least: f64,
    greatest: f64,
}

impl Axis {
    /// With 1 and some room on both sides, and not further than the ticks.
    fn over(ratios: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut greatest) = (0.5_f64, 2.0_f64);
        for ratio in ratios {
            least = least.min(ratio);
            greatest = greatest.max(ratio);
        }
        Self {
            least: least.max(0.01),
            greatest: greatest.min(100.0),
        }
    }

    fn place(&self, ratio: f64) -> f64 {
        let ratio = ratio.clamp(self.least, self.greatest);
        let part = (ratio / self.least).ln() / (self.greatest / self.least).ln();
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn grid(&self, height: f64) -> String {
        let mut text = String::new();
        for tick in TICKS {
            if tick < self.least || tick > self.greatest {
                continue;
            }
            let x = self.place(tick);
            let class = if tick == 1.0 { "one" } else { "grid" };
            let _ = writeln!(
                text,
                "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"58\" y2=\"{height:.0}\"/>\
                 <text class=\"small\" x=\"{x:.1}\" y=\"53\" text-anchor=\"middle\">{tick}</text>"
            );
        }
        text
    }

    fn bar(&self, bar: &Bar, y: f64) -> String {
        let (one, end) = (self.place(1.0), self.place(bar.ratio));
        let (x, width) = (one.min(end), (end - one).abs().max(1.0));
        let class = bar.class;
        format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{:.0}\"/>\
             <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            BAR - 2.0,
            one.max(end) + 4.0,
            y + BAR - 3.0,
            bar.label
        )
    }
}
