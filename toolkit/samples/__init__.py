"""The sample table: an order-to-delivery event log with planted effects, each with its known answer."""
