package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestSend walks through the example sender against a real server, with what goes wrong.
func TestSend(t *testing.T) {
	t.Parallel()
	state, address := stateDir(t), freeAddress(t)
	s := sendSetup(t, state)
	serve(t, state, address)
	base := []string{"send", "--server", "http://" + address, "--system", "H29.12", "--sender", "H29.12", "--json"}
	send := func(more ...string) []string { return append(append([]string{}, base...), more...) }
	letter := func(more ...string) []string {
		return send(append([]string{"--secret-file", s.secret, "--subject", "V/v gửi thử (TEST)", "--number", "7", "--notation", "SYT-VP"}, more...)...)
	}

	sent := must(t, state, letter("--to", "H26", "--to", "000.00.00.G22", "--document-id", "1", "--cert", s.cert, "--key", s.key, s.pdf)...)
	if sent["state"] != "accepted" || sent["verdict"] != "valid" || sent["recipients"] != 2.0 || sent["document_id"] != "1" {
		t.Errorf("a signed letter: %v", sent)
	}
	again := must(t, state, letter("--to", "H26", "--to", "000.00.00.G22", "--document-id", "1", "--cert", s.cert, "--key", s.key, s.pdf)...)
	if again["id"] != sent["id"] || again["replay"] != true {
		t.Errorf("the same again: %v", again)
	}
	demo := must(t, state, send("--secret-file", s.secret, "--to", "H26", "--demo-pdf", "V/v thử", "--pki", s.pki)...)
	if demo["verdict"] != "valid" {
		t.Errorf("a TEST document: %v", demo)
	}
	unsigned := must(t, state, letter("--to", "H26", s.text)...)
	if unsigned["verdict"] != "unsigned" || unsigned["state"] != "accepted" {
		t.Errorf("an unsigned file: %v", unsigned)
	}
	wants(t, state, exitYes, "verdict      valid", letter("--to", "H26", "--json=false", s.pdf)...)
	wants(t, state, exitNo, "từ chối · refused: recipients", letter("--to", "H99", "--json=false", s.pdf)...)

	wants(t, state, exitNo, "conflict", letter("--to", "H26", "--document-id", "1", s.text)...)
	wants(t, state, exitNo, "H99", letter("--to", "H99", s.pdf)...)
	wants(t, state, exitNo, "unauthorized", send("--secret", "wrong", "--subject", "x", "--to", "H26", s.pdf)...)
	wants(t, state, exitNo, "foreign_sender", letter("--to", "H26", "--sender", "G22", s.pdf)...)
	wants(t, state, exitUnusable, "none.pdf", letter("--to", "H26", filepath.Join(state, "none.pdf"))...)
	wants(t, state, exitUnusable, "not a regular file", letter("--to", "H26", s.pki)...)
	wants(t, state, exitUnusable, "private key", letter("--to", "H26", "--cert", s.cert, "--key", s.otherKey, s.pdf)...)
	wants(t, state, exitFlags, "--key", letter("--to", "H26", "--cert", s.cert, s.pdf)...)
	wants(t, state, exitFlags, "--pki", send("--secret", "x", "--to", "H26", "--demo-pdf", "x")...)
	wants(t, state, exitFlags, "nothing to send", letter("--to", "H26")...)
	wants(t, state, exitFlags, "--subject", send("--secret", "x", "--to", "H26", s.pdf)...)
	wants(t, state, exitFlags, "yyyy-mm-dd", letter("--to", "H26", "--date", "21/11/2026", s.pdf)...)
	wants(t, state, exitFlags, "", letter("--to", "H26", "--urgency", "soon", s.pdf)...)
	wants(t, state, exitDependency, "harmless", letter("--to", "H26", "--server", "http://"+freeAddress(t), "--tries", "2", s.pdf)...)
}

// sendThings are the files of TestSend.
type sendThings struct{ secret, cert, key, otherKey, pdf, text, pki string }

// sendSetup makes directory, systems, trust and documents.
func sendSetup(t *testing.T, state string) sendThings {
	t.Helper()
	write := func(name string, content []byte) string {
		path := filepath.Join(state, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seal, err := pki.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	if err != nil {
		t.Fatal(err)
	}
	s := sendThings{pki: filepath.Join(state, "pki"), secret: write("secret", []byte("secret-send\n")), text: write("a.txt", []byte("không ký"))}
	if err := pki.Dir(s.pki); err != nil {
		t.Fatal(err)
	}
	pairs, err := filepath.Glob(filepath.Join(s.pki, "agencies", "*.pem"))
	if err != nil || len(pairs) != 1 {
		t.Fatalf("one agency's certificate: %v %v", pairs, err)
	}
	s.key, s.otherKey = pairs[0][:len(pairs[0])-len("pem")]+"key", filepath.Join(s.pki, "tsa.key")
	chain := read(t, pairs[0])
	s.cert = write("chain.pem", append(chain, read(t, filepath.Join(s.pki, "issuing.pem"))...))
	pdf, err := testpki.PDF(testpki.Document{})
	if err != nil {
		t.Fatal(err)
	}
	if pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: seal, Time: pki.Now()}); err != nil {
		t.Fatal(err)
	}
	s.pdf = write("7-SYT-VP.pdf", pdf)
	must(t, state, "agency", "import", write("agencies.csv", []byte(killDirectory)))
	must(t, state, "trust", "add", "--test", filepath.Join(s.pki, "root.pem"), filepath.Join(s.pki, "crl.pem"))
	must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--secret", "secret-send")
	must(t, state, "system", "add", "--id", "others", "--name", "Khác", "--kind", "other", "--way", "mailbox", "--agency", "H26", "--agency", "G22")
	return s
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
