import type { OPEN_METRICS_CONTENT_TYPE } from '../exposition/open-metrics-format.js';
import type { TEXT_CONTENT_TYPE } from '../exposition/text-format.js';

/** Content type of the Prometheus text format 0.0.4. */
export type PrometheusContentType = typeof TEXT_CONTENT_TYPE;

/** Content type of OpenMetrics 1.0. */
export type OpenMetricsContentType = typeof OPEN_METRICS_CONTENT_TYPE;

/** The content types that a registry can have. */
export type RegistryContentType = PrometheusContentType | OpenMetricsContentType;
