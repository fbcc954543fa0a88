//! Tests of each level that the processor has, which only the crate itself can choose.
//!
//! They stand beside the modules, not in them: the benchmark compiles those without these.

mod level;
mod mask;
mod oracle;
mod shared_text;
mod text_buffer;
mod utf8;
