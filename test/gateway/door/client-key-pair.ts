/**
 * A client's key and certificate for tests, self-signed and good until 2126: CN=orders, URI:spiffe://shop/orders.
 *
 * Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=orders
 * -addext subjectAltName=URI:spiffe://shop/orders -addext basicConstraints=critical,CA:TRUE`.
 */
export const CLIENT = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYESE69lsAZfU3urJ
TZRomJbaEL73kLvcZ4x6e/rzK+WhRANCAATyokKjsMKwZNm9LoDMaGkvEWg24IBg
uAPs+A/LyVTMkrjEHIbusLgZy3FrMwDrwUk0jBTVggYEg66NbK/+xkP+
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUCgAwIBAgIUBcb0obFk+GLBh9eO+PZGw+or0kowCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGb3JkZXJzMCAXDTI2MTEyNTE4MTcwM1oYDzIxMjYxMTAxMTgx
NzAzWjARMQ8wDQYDVQQDDAZvcmRlcnMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATyokKjsMKwZNm9LoDMaGkvEWg24IBguAPs+A/LyVTMkrjEHIbusLgZy3FrMwDr
wUk0jBTVggYEg66NbK/+xkP+o3QwcjAdBgNVHQ4EFgQUOFogBziW6iBJVkiszZUu
xAkrNNcwHwYDVR0jBBgwFoAUOFogBziW6iBJVkiszZUuxAkrNNcwHwYDVR0RBBgw
FoYUc3BpZmZlOi8vc2hvcC9vcmRlcnMwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO
PQQDAgNJADBGAiEA3lYMRuYzOtuIApXIMm2fjKFTX5jHZfQHiJ5TcilWzzkCIQC6
1jJpZDKBnmGLkrueYBznnCxVq/L5ppoF8n/CQyoWsA==
-----END CERTIFICATE-----
`,
};
