package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/server/edxml"
)

// The commands and configurations of server/CONNECT.md, tried.

const connectDoc = "server/CONNECT.md"

// connectPacket is a packet as a document-management system makes it, from H29.12 to H26, with one attachment.
func connectPacket(t *testing.T, size int) []byte {
	t.Helper()
	doc := edxml.Document{From: edxml.Organization{ID: "H29.12", Name: "Sở Y tế"}, To: []edxml.Organization{{ID: "000.00.00.H26", Name: "Hà Nội"}},
		ID: "H29.12,2026/11/21,1/SYT-VP", Number: "1", Notation: "SYT-VP", Subject: "V/v gửi thử",
		Attachments: []edxml.Attachment{{Name: "van-ban.txt", MimeType: "text/plain", Size: int64(size)}}}
	var out bytes.Buffer
	err := edxml.Write(&out, doc, func(int) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", size))), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestConnectSteps runs the blocks of "Trying it, step by step" as one person would, in one shell.
func TestConnectSteps(t *testing.T) {
	t.Parallel()
	steps := blocks(readRoot(t, connectDoc), "sh")
	if len(steps) != 4 {
		t.Fatalf("%s has %d blocks to run, want 4", connectDoc, len(steps))
	}
	state, address := stateDir(t), freeAddress(t)
	n := serve(t, state, address)
	must(t, state, "agency", "import", importFile(t, killDirectory))
	said := runConnect(t, state, "http://"+address+"/vxp", strings.Join(steps, "\n"))
	for _, want := range []string{`"data":[{"id":"`, `"ErrorDesc":"Thanh cong","DocId":"`, `"receiveStatus":"initial"`, `"count":1`, `"count":0`} {
		if !strings.Contains(said, want) {
			t.Errorf("the steps do not say %q:\n%s", want, said)
		}
	}
	n.stop(t)
	checkState(t, state, true)
}

// runConnect runs a script in a folder that holds van-ban.edxml; the first command that fails ends it.
func runConnect(t *testing.T, state, axis, script string, env ...string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "van-ban.edxml"), connectPacket(t, 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu")
	cmd.Env = append(append(os.Environ(), "TRUC_STATE="+state, "AXIS="+axis, "PATH="+filepath.Dir(binary(t))+":"+os.Getenv("PATH")), env...)
	cmd.Dir, cmd.Stdin = folder, strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestConnectOldTLS: a client that knows TLS 1.2 and one CBC suite only, as Java 7 does, shakes hands; one that knows TLS
// 1.1 only does not.
func TestConnectOldTLS(t *testing.T) {
	t.Parallel()
	text := readRoot(t, connectDoc)
	for _, c := range []struct {
		suite uint16
		key   crypto.Signer
	}{{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, rsaKey(t)}, {tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, ecKey(t)}} {
		name := tls.CipherSuiteName(c.suite)
		if !strings.Contains(text, name) {
			t.Errorf("%s does not name %s", connectDoc, name)
		}
		state, address := stateDir(t), freeAddress(t)
		cert, key, roots := certificateFor(t, c.key)
		n := serve(t, state, address, "TRUC_TLS_CERT="+cert, "TRUC_TLS_KEY="+key)
		old := &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{c.suite}}
		conn, err := tls.Dial("tcp", address, old)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := conn.ConnectionState(); got.Version != tls.VersionTLS12 || got.CipherSuite != c.suite {
			t.Errorf("%s: %+v", name, got)
		}
		_ = conn.Close()
		old = &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		if conn, err := tls.Dial("tcp", address, old); err == nil {
			_ = conn.Close()
			t.Error("TLS 1.1 was taken")
		}
		n.stop(t)
	}
}

func rsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificateFor writes a certificate for localhost and its key as files.
func certificateFor(t *testing.T, key crypto.Signer) (cert, keyFile string, roots *x509.CertPool) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	roots = x509.NewCertPool()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots.AppendCertsFromPEM(text)
	for path, text := range map[string][]byte{cert: text, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, keyFile, roots
}

// TestConnectNginx runs the configuration of "A proxy in front" on a real nginx, where there is one: the steps go through
// it, a header of nearly 4 MB too, and when truc is down each kind of call still gets what its client can read.
func TestConnectNginx(t *testing.T) {
	t.Parallel()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx here: CONNECT.md says that this test runs where there is one")
	}
	text := readRoot(t, connectDoc)
	state, address, front := stateDir(t), freeAddress(t), freeAddress(t)
	n := serve(t, state, address)
	must(t, state, "agency", "import", importFile(t, killDirectory))
	cert, key, roots := certificateFor(t, rsaKey(t))
	startNginx(t, nginx, strings.NewReplacer("listen 443 ssl", "listen "+front+" ssl", "127.0.0.1:8080", address,
		"/etc/nginx/truc.pem", cert, "/etc/nginx/truc.key", key).Replace(blocks(text, "nginx")[0]), front)
	said := runConnect(t, state, "https://"+front+"/vxp", strings.Join(blocks(text, "sh"), "\n"), "CURL_CA_BUNDLE="+cert)
	if !strings.Contains(said, `"count":0`) {
		t.Errorf("through the proxy:\n%s", said)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	call := func(name, header string) (int, string) {
		request, err := http.NewRequest(http.MethodPost, "https://"+front+"/vxp"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("XroadVnpt-sign-header", header)
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if status, body := call("/sendEdoc", strings.Repeat("x", 4<<20-100_000)); status != 200 || !strings.Contains(body, `"ErrorCode":"15"`) {
		t.Errorf("a large header: %d %s", status, body)
	}
	if status, body := call("/sendEdoc", strings.Repeat("x", 5<<20)); status < 400 || !strings.Contains(body, `"ErrorCode":"20"`) || !strings.Contains(body, `"DocId":""`) {
		t.Errorf("too large a header: %d %s", status, body)
	}
	n.stop(t)
	for name, want := range map[string]string{"/sendEdoc": `"DocId":""}`, "//sendEdoc": `"DocId":""}`, "/getReceivedEdocList": `"data":[]}`, "/getEdoc": `"data":""}`} {
		if status, body := call(name, "x"); status != 502 || !strings.HasSuffix(body, want) || !strings.HasPrefix(body, `{"status":"FAIL","ErrorCode":"20",`) {
			t.Errorf("%s while truc is down: %d %s", name, status, body)
		}
	}
	if _, body := call("/downloadEdoc", "x"); body != "" {
		t.Errorf("downloadEdoc while truc is down: %q", body)
	}
}

// startNginx runs nginx on a configuration of our own until the test ends.
func startNginx(t *testing.T, nginx, http, address string) {
	t.Helper()
	folder := t.TempDir()
	config := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
		events { } http { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c;
		uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
		%[2]s }`, folder, http)
	path := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-c", path, "-e", filepath.Join(folder, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if log, err := os.ReadFile(filepath.Join(folder, "error.log")); err == nil && t.Failed() {
			t.Logf("nginx: %s", log)
		}
	})
	waitFor(t, "nginx to listen", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}
