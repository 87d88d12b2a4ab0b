//! Micro-benchmarks of the scan.
