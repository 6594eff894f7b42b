-- What a browser usually sends, so that header handling is really paid for.
wrk.headers["accept"] = "application/json, text/plain, */*"
wrk.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
wrk.headers["accept-language"] = "en-GB,en;q=0.9"
wrk.headers["accept-encoding"] = "gzip, deflate, br"
wrk.headers["authorization"] = os.getenv("BENCH_AUTHORIZATION") or "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
wrk.headers["x-request-id"] = "0f8fad5b-d9cb-469f-a165-70867728950e"
