//! What was found about one workload.

use serde::{Serialize, Serializer};

use crate::measure::{Sample, Summary};
use crate::quantity::Quantity;
use crate::workload::Workload;

/// A workload and all that took part.
#[derive(Clone, Serialize)]
pub(crate) struct Row {
    #[serde(serialize_with = "as_name")]
    pub(crate) workload: Workload,
    pub(crate) series: Vec<Series>,
}

/// Every sample of one library.
#[derive(Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) library: &'static str,
    pub(crate) samples: Vec<Sample>,
    /// Why samples are missing.
    pub(crate) failures: Vec<String>,
}

impl Series {
    /// Without a sample.
    pub(crate) fn of(library: &'static str) -> Self {
        Self {
            library,
            samples: Vec::new(),
            failures: Vec::new(),
        }
    }
}

fn as_name<S: Serializer>(workload: &Workload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(workload)
}

impl Row {
    pub(crate) fn summary(&self, library: &str, quantity: Quantity) -> Option<Summary> {
        let mut all = self.series.iter();
        let series = all.find(|series| series.library == library)?;
        Summary::of(
            series
                .samples
                .iter()
                .filter_map(|sample| sample.get(quantity)),
        )
    }

    /// Whether a table of this quantity has this row.
    pub(crate) fn shows(&self, quantity: Quantity) -> bool {
        let is_told = quantity != Quantity::WallNanoseconds || self.workload.is_over_network();
        let mut samples = self.series.iter().flat_map(|series| &series.samples);
        is_told && samples.any(|sample| sample.get(quantity).is_some())
    }
}
