# The commands of this project. `make demo` and `make test` install what they need (see .ci/setup) and say what they
# lack when they may not.

.PHONY: build demo test test-full tools vet fuzz

build:
	CGO_ENABLED=0 go build -trimpath -o bin/truc ./cmd/truc

# The axis's main job on real input, in the terminal and the browser.
demo:
	.ci/setup demo
	$(MAKE) build
	bin/truc demo

# Everything that must hold before a change lands.
test:
	.ci/setup test
	$(MAKE) vet
	TRUC_REQUIRE_TOOLS=1 go test -race -timeout 15m ./...
	.ci/fuzz 60

# The long forms: 1 GB bodies, hundreds of documents under kill -9, minutes of fuzzing.
test-full: test
	TRUC_REQUIRE_TOOLS=1 TRUC_LONG=1 go test -timeout 60m ./...
	.ci/fuzz 600

vet:
	@test -z "$$(gofmt -l cmd migrations routing server signing storage web)" || { gofmt -l cmd migrations routing server signing storage web; exit 1; }
	go vet ./...
	.tools/bin/staticcheck ./...

tools:
	.ci/setup test

fuzz:
	.ci/fuzz 60
