"""What OpenTelemetry is told of an agent: a span for each action, a log record for each decision and control event.

Only where the agent itself has `opentelemetry-api` installed and a provider set; it is imported here alone. Of a
provider's code nothing but the sampler and the start of a span runs in the action's way. All else (the end of a span,
log records, and so every exporter) runs on a thread beside it, over a queue that is bounded: an exporter that is slow,
hangs or raises delays no action and breaks none. What it does not take in time is dropped, and that is said.
"""
