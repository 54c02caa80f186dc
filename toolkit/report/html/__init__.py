"""The parts of report.html: one module a section of the page, with its style and its behaviour beside them."""
