package storagetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// minio is the one MinIO server of this test process.
var minio struct {
	once     sync.Once
	endpoint string
	err      error
}

// The server's only user. It listens on the loopback interface and lives as long as the test process.
const minioUser, minioSecret = "truc-test", "truc-test-secret"

var errNoMinIO = errors.New("the MinIO server is neither at .tools/bin/minio, nor named by TRUC_MINIO, nor on PATH: " +
	"`make tools` builds it")

// MinIO gives a bucket of its own, not made yet, in a real MinIO server, which is started once in a test process and
// ends with it. Without the program the test is skipped, or fails when TRUC_REQUIRE_TOOLS=1.
func MinIO(t testing.TB) storage.S3Config {
	t.Helper()
	minio.once.Do(func() { minio.endpoint, minio.err = startMinIO() })
	switch {
	case errors.Is(minio.err, errNoMinIO) && os.Getenv("TRUC_REQUIRE_TOOLS") != "1":
		t.Skip(minio.err)
	case minio.err != nil:
		t.Fatalf("tests need an S3 store: %v", minio.err)
	}
	return bucketAt(minio.endpoint, "truc-"+strings.ToLower(rand.Text()))
}

func startMinIO() (endpoint string, err error) {
	program, err := findMinIO()
	if err != nil {
		return "", err
	}
	for range 3 { // somebody may take the port between our asking and MinIO's
		if endpoint, err = tryMinIO(program); err == nil {
			return endpoint, nil
		}
	}
	return "", err
}

// findMinIO looks where TRUC_MINIO says, in .tools of the module that the test runs in, and on PATH.
func findMinIO() (string, error) {
	if path := os.Getenv("TRUC_MINIO"); path != "" {
		return path, nil
	}
	dir, err := os.Getwd() // go test runs in the package's folder
	for err == nil && dir != "/" {
		path := filepath.Join(dir, ".tools", "bin", "minio")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		dir = filepath.Dir(dir)
	}
	if path, err := exec.LookPath("minio"); err == nil {
		return path, nil
	}
	return "", errNoMinIO
}

// minder runs MinIO until its own standard input ends, which is when the test process does, however that happens; then
// it kills MinIO and removes its folder.
const minder = `dir=$1; shift; "$@" >"$dir.log" 2>&1 </dev/null & cat >/dev/null; kill -9 $!; wait; rm -rf "$dir" "$dir.log"`

func tryMinIO(program string) (string, error) {
	dir, err := os.MkdirTemp("", "truc-minio-")
	if err != nil {
		return "", err
	}
	address, err := freeAddress()
	if err != nil {
		return "", err
	}
	life, mine, err := os.Pipe() // the writing end is closed by the kernel at our end
	if err != nil {
		return "", err
	}
	defer life.Close()
	cmd := exec.Command("sh", "-c", minder, "truc-minio", dir, program, "server", "--quiet", "--address", address, dir)
	cmd.Stdin = life
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C must not take the minder before it has cleaned up
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + dir, "MINIO_ROOT_USER=" + minioUser,
		"MINIO_ROOT_PASSWORD=" + minioSecret, "MINIO_BROWSER=off", "MINIO_UPDATE=off"}
	if err := cmd.Start(); err != nil {
		_ = mine.Close()
		return "", err
	}
	if err := awaitMinIO(address); err != nil {
		said, _ := os.ReadFile(dir + ".log")
		_ = mine.Close()
		_ = cmd.Wait()
		return "", fmt.Errorf("%s does not start: %w: %s", program, err, said)
	}
	minioLife.Store(mine)
	return address, nil
}

// minioLife is kept from the garbage collector, which would close it.
var minioLife atomic.Pointer[os.File]

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitMinIO waits until a bucket can be made: the server says that it is healthy before it lets anybody in.
func awaitMinIO(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := storage.OpenS3(ctx, bucketAt(address, "truc-awaited"))
		if err == nil {
			return s.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func bucketAt(address, bucket string) storage.S3Config {
	return storage.S3Config{Endpoint: address, AccessKey: minioUser, SecretKey: minioSecret, Bucket: bucket}
}
