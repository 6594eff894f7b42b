// What Prometheus reads to find every service that is registered, wherever that is, and to be let in by them.

/**
 * A whole configuration for Prometheus: the rules beside it, and a job for all services that one of them knows.
 *
 * `tokenFile` holds what services are given as `MANAGEMENT_TOKEN`.
 */
export function prometheusConfig({
  targets = 'http://localhost:8080/management/targets',
  interval = '15s',
  rules = 'rookery.rules.yml',
  tokenFile = 'management-token',
} = {}) {
  const authorization = { credentials_file: tokenFile };
  return {
    global: { scrape_interval: interval, evaluation_interval: interval },
    rule_files: [rules],
    scrape_configs: [
      {
        job_name: 'rookery',
        authorization,
        http_sd_configs: [
          { url: targets, refresh_interval: interval, authorization: { ...authorization } },
        ],
      },
    ],
  };
}
