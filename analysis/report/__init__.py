"""Reports: a dump in, a directory of pages, tables and machine-readable results out."""

from analysis.report.build import ReportResult, run, verify

__all__ = ["ReportResult", "run", "verify"]
