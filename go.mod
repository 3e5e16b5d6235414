module github.com/truc-lienthong/truc

go 1.26.0

godebug x509negativeserial=1

require (
	github.com/alecthomas/kong v1.17.0 // commands, flags and environment in one struct
	github.com/alexedwards/scs/v2 v2.9.0 // sign-in sessions
	github.com/chromedp/cdproto v0.159.0 // tests: what chromedp speaks
	github.com/chromedp/chromedp v0.23.0 // tests: a real browser
	github.com/getkin/kin-openapi v0.152.0 // tests: holds the OpenAPI document true
	github.com/go-pdf/fpdf v0.9.0 // printable PDFs, now those of the test PKI
	github.com/google/uuid v1.6.0 // RFC 9562
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL; only in storage
	github.com/labstack/echo/v4 v4.16.0 // HTTP routes and their errors
	github.com/minio/minio-go/v7 v7.4.1 // S3; only in storage
	github.com/pquerna/otp v1.5.0 // RFC 6238
	github.com/pressly/goose/v3 v3.29.0 // migrations, as a library
	github.com/prometheus/client_golang v1.25.0 // metrics
	github.com/robfig/cron/v3 v3.0.1 // the timetable of jobs
	github.com/xuri/excelize/v2 v2.11.0 // XLSX; not v2.11.1
	go.mozilla.org/pkcs7 v0.10.0 // makes signatures, never verifies them
	go.yaml.in/yaml/v3 v3.0.5 // tests: reads the compose file
	golang.org/x/crypto v0.58.0 // argon2id (RFC 9106)
	golang.org/x/sync v0.24.0 // errgroup, in the toy agency
	golang.org/x/sys v0.49.0 // syncfs, flock, sync_file_range
	golang.org/x/text v0.43.0 // Unicode normal forms
	golang.org/x/time v0.16.0 // rate limits
	pgregory.net/rapid v1.3.0 // tests: properties
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/boombuler/barcode v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-openapi/jsonpointer v0.22.5 // indirect
	github.com/go-openapi/swag/jsonname v0.25.5 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.1 // indirect
	github.com/klauspost/cpuid/v2 v2.4.0 // indirect
	github.com/klauspost/crc32 v1.3.0 // indirect
	github.com/labstack/gommon v0.5.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/mfridman/interpolate v0.0.2 // indirect
	github.com/minio/crc64nvme v1.1.1 // indirect
	github.com/minio/md5-simd v1.1.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/oasdiff/yaml v0.1.1 // indirect
	github.com/oasdiff/yaml3 v0.0.14 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/richardlehane/mscfb v1.0.7 // indirect
	github.com/richardlehane/msoleps v1.0.6 // indirect
	github.com/rs/xid v1.6.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/sethvargo/go-retry v0.5.0 // indirect
	github.com/tiendc/go-deepcopy v1.7.2 // indirect
	github.com/tinylib/msgp v1.6.4 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.2.2 // indirect
	github.com/xuri/efp v0.0.1 // indirect
	github.com/xuri/nfp v0.0.2-0.20250530014748-2ddeb826f9a9 // indirect
	github.com/zeebo/xxh3 v1.1.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	gopkg.in/ini.v1 v1.67.3 // indirect
)
