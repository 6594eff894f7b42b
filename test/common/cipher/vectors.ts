// Secrets that other programs have made, so that ours are proved to be the same format.

/** The documentation of Spring Cloud Config, "Encryption and Decryption": `curl localhost:8888/encrypt -s -d mysecret`. */
export const AES = {
  key: 'foo',
  secret: '682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7bda',
  text: 'mysecret',
};

/** Spring Cloud Config's own test suite: EncryptionIntegrationTests and encrypt-repo/application.yml. */
export const RSA_SECRET =
  '{cipher}{key:mytestkey}AQCohs2V6P8/UiG6a4TF/CZTCBdt5Q7wvNvcyf6vs2ByK2ZYSM77Nu0sOAduxUpMbVwJ/syecmkIXR+hU3EfT2uqPieA7/v5n33ppqIQ9JAt5JggdYIGe+wX25zU3DTXOOJdAAMzNX+zjOVyCh0QtmJf/kFslg6NqQq0E+kSg3zBi3AnkKj5BLnLIxkjxzKA4mnDXpSm7ekLZZP2iQSYSW/82AC7UOLLzTqwInMI3tJLW1e9Ne+LDsjmSxA+nkK9zhidtXPwb/SPaNF74cJCEf9mgzzKYwJlwqChLzJt8UQ1jHwRc8B6FufmizUHSp27nxdtVB4HMqh3nNsMCy137Ces58T09ZS/y/cYNRxcFbp78MHFHUqAgbC0B/p5t6h4XbQ=';
export const RSA_TEXT = 'foo';

/** The key `mytestkey` of that suite's server.jks (its documented passwords are letmein and changeme), as PEM. It guards nothing. */
export const RSA_KEY = `-----BEGIN RSA PRIVATE KEY-----
MIIEpgIBAAKCAQEAuFwTdW1FE1/paX3ZLwpndzROYfQkUGUhZlbusXHZGBOoPfYm
K+ciC/PPYYgZu2ZRCx61d4v1r0SLx2wVAgE97DUF0UZJJW7+m13PaBXcGhcgW41s
QdV0o8Fi7gSNRk+1X9jg8POccUNGP0+tieStSdKlP08fk0mFDPYfz6eX5wzPGTj2
Y3bhHlDyEgl+AoNFKOoc2ZtC+s3TnmBbrxaqxSIGK9O61qXqtnhzWziyh9WzXeGx
0Uy+mV8DC4xxlGSFqIhm95nnR3T9P79agaEaUaRD952Z93flVu6gkv7mNpV/d4Aj
oNBg1IWmMx3PdqqRfmTXiFYiCQLc8pTz2gQ8VwIDAQABAoIBAQCRMMqOV0DoUkfD
sb4CYwI7CfGVCS40NoEIVPxkuNGNOaXtLla/iqbwnNG88O+6+4hl5ohpnssdfjFL
G96rlojK5rMvLlha58ASYd3/DgAqd/4evBD/A/l5Icskwmb0cb/YvTfh6ylQtfez
0q9MAtFKa1+CrXCjkWn8XDWPV2C1L7Q8uGJJtctwXet8ldphAxCgdVbH+t2zTgJ0
pF9ayhBDiY757SONMPQFBQkRrLZdO3wXXhd/HN4B1a43wEs8MIL9HWiL7UeYCq+R
84SvEX0WL69TQMik4PCfgtBOMP2ZJGJyeEKRqtQJWp3SMOlo2iew4I+HS6JUB/0d
GFCKMZ9hAoGBAPEMFBx4pBVmjBn8scdlGSvbj0Ru6WLxrq4knOljbVqb+IspG/DM
urm+AiLvphZ7ljlwlyv7HkfwEFjuNf8v/9ULQ6kauHt/GxUbUmOYBwdCKzcPnw6D
Oy0aqrhCWciQ48Uve6J63HBqh4WBrrMBP7Im2dti+49JhhAGBRyuE9zRAoGBAMPL
xzJX8VvGZ3F2r4uHM4+BjdFpZGB6jFT0U2AgVXMIEJ0QQhTQXY2BGEHk0hy0j5+H
gt0vn4pxeqtWa3AGGutIb5KmU5Pc2rrHruyc1xYm8dVk8iPrvsm426oNXwRuE/UV
LdxWifr1RBer/UGt+nisyf1coIuyUTEH+T9BKDCnAoGBAIhxptyq6W53uqxnHpbY
wlPSF5nMEm4Akjle3jc6IcddbGYRYhB/Qt8rD/iIoQIu+M0Qz3GE1xIvcIF2bbhC
ilUk6CrLxkuZmlHrQkq/3pKcQOwM+qLzY8bXRnXAkSP36AZRJ3HEjA1SL95Blwsa
lNyaI02NDQqButJNJg2i9/lRAoGBAKXcUSEfiHFDMEvYy7p5zL7Lc7SrAAIOriQl
WR+8JEau1UwIAsKZBDcj3cWsLiVs+6GbbMssVY00tkLAkYCzW0hm80UaqwA9/fht
wYvlDPtSAFjSC6FMSjGd7E8wxoX9LeDWkSPvFzHFZWpcIszpsZ1aWj3LoqDUbJ0J
cSYZbw9PAoGBAKRzVXATGiqaFiPE0X3OHDG1FL1ECQ5asCegMVTlHvvBCd7QPjLo
4TYsArrqf2aKSkMk0zyugHpvlhScp+nhfgSu11wf/KJxp5S26cuXKlWYwhX6oM3W
tTxGHbA9Ks7YpB3Iye/TaAA4QUNp/Iam93mXIiHvW3LstcidR+FPiU9e
-----END RSA PRIVATE KEY-----
`;
