package server

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/labstack/echo/v4"
	"go.mozilla.org/pkcs7"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// Proof is the axis's own signed statement that it accepted a dispatch (giấy xác nhận của trục): the eContent of an
// attached CMS, as UTF-8 JSON. It can be checked offline with `truc verify --anchor axis.pem`.
type Proof struct {
	Statement  string           `json:"statement"`
	StatementE string           `json:"statement_en"`
	Dispatch   string           `json:"dispatch"`
	Sender     routing.Code     `json:"sender"`
	SenderName string           `json:"sender_name"`
	DocumentID string           `json:"document_id"`
	Number     string           `json:"number"`
	Notation   string           `json:"notation"`
	Subject    string           `json:"subject"`
	AcceptedAt time.Time        `json:"accepted_at"`
	Verdict    signing.Verdict  `json:"verdict"`
	Files      []ProofFile      `json:"files"`
	Recipients []ProofRecipient `json:"recipients"`
	Metadata   string           `json:"metadata_sha256"`
	SignedAt   time.Time        `json:"signed_at"`
}

// ProofFile is one file that was accepted.
type ProofFile struct {
	Name    string          `json:"name"`
	Size    int64           `json:"size"`
	SHA256  string          `json:"sha256"`
	Verdict signing.Verdict `json:"verdict"`
}

// ProofRecipient is one recipient and whom it was addressed to.
type ProofRecipient struct {
	Delivery    string       `json:"delivery"`
	AddressedTo string       `json:"addressed_to"`
	Agency      routing.Code `json:"agency"`
}

// What a proof says of itself, as long as the axis signs with its own certificate (R5: only a công vụ signature gives
// legal value).
const (
	proofVI = "Trục liên thông xác nhận đã tiếp nhận văn bản nêu dưới đây. Đây là bằng chứng kỹ thuật, chưa phải văn bản có giá trị pháp lý, cho đến khi trục được cấp chứng thư số chuyên dùng công vụ."
	proofEN = "The axis states that it accepted the document below. This is technical evidence, not a legal instrument, until a công vụ certificate is installed."
)

// getProof gives the proof of a dispatch to its sender.
func (s *Server) getProof(c echo.Context) error {
	d, err := s.ownDispatch(c)
	if err != nil {
		return err
	}
	made, err := s.ProofOf(c.Request().Context(), d)
	if err != nil {
		return err
	}
	return s.serveObject(c, made, "application/pkcs7-mime; smime-type=signed-data", "giay-xac-nhan-"+d.ID.String()+".p7m")
}

// ProofOf returns the proof of a dispatch, making it on first use. Recipients that are added while it is made (gửi bổ
// sung) must be in it: then it is made again.
func (s *Server) ProofOf(ctx context.Context, d storage.Dispatch) (storage.Object, error) {
	if d.Proof.SHA256 != "" {
		return d.Proof, nil
	}
	for {
		statement, err := s.state(ctx, d)
		if err != nil {
			return storage.Object{}, err
		}
		made, err := s.makeProof(ctx, d, statement)
		if err != nil {
			return made, err
		}
		stale, err := s.Store.DropStaleProof(ctx, d.ID, made, len(statement.Recipients))
		if err != nil || !stale {
			return made, err
		}
	}
}

func (s *Server) makeProof(ctx context.Context, d storage.Dispatch, statement Proof) (storage.Object, error) {
	content, err := json.MarshalIndent(statement, "", "  ")
	if err != nil {
		return storage.Object{}, fmt.Errorf("write the proof of %s: %w", d.ID, err)
	}
	signed, err := s.axis.sign(content)
	if err != nil {
		return storage.Object{}, err
	}
	return s.make(ctx, d.ID, storage.ProofFile, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(signed))
		return err
	})
}

func (s *Server) state(ctx context.Context, d storage.Dispatch) (Proof, error) {
	p := Proof{Statement: proofVI, StatementE: proofEN, Dispatch: d.ID.String(), Sender: d.Sender, SenderName: s.agencyName(d.Sender),
		DocumentID: d.DocumentID, Number: d.Number, Notation: d.Notation, Subject: d.Subject, AcceptedAt: vn(d.AcceptedAt),
		Verdict: d.Verdict, Metadata: hexSum(d.FirstPart), SignedAt: vn(s.Now())}
	for _, a := range d.Attachments {
		p.Files = append(p.Files, ProofFile{Name: a.Name, Size: a.Size, SHA256: a.SHA256, Verdict: a.Verdict})
	}
	for after := 0; ; {
		list, err := s.Store.Deliveries(ctx, d.ID, after, 1000)
		if err != nil || len(list) == 0 {
			return p, err
		}
		for _, dl := range list {
			p.Recipients = append(p.Recipients, ProofRecipient{Delivery: dl.DeliveryID.String(), AddressedTo: dl.AddressedTo, Agency: dl.Agency})
			after = dl.N
		}
	}
}

// sign makes an attached CMS (RFC 5652) over content with ECDSA P-256 and SHA-256.
func (k axisKey) sign(content []byte) ([]byte, error) {
	data, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, fmt.Errorf("make a proof: %w", err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSigner(k.certificate, k.signer, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("sign a proof: %w", err)
	}
	signed, err := data.Finish()
	if err != nil {
		return nil, fmt.Errorf("finish a proof: %w", err)
	}
	return signed, nil
}

// loadAxisKey reads the axis's key, making it on the first start of an installation.
func (s *Server) loadAxisKey(ctx context.Context) error {
	kept, err := s.Store.AxisKey(ctx, func() (storage.AxisKey, error) { return newAxisKey(s.Key, s.Now()) }, s.Now())
	if err != nil {
		return fmt.Errorf("load the axis key: %w", err)
	}
	der, err := s.Key.Open(kept.Sealed, storage.AxisKeyPurpose)
	if err != nil {
		return fmt.Errorf("open the axis key: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("read the axis key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return fmt.Errorf("the axis key is a %T, which cannot sign", key)
	}
	s.axis.signer = signer
	s.axis.certificate, err = x509.ParseCertificate(kept.Certificate)
	return err
}

// AxisCertificate returns the axis's own certificate (DER), with which its proofs are checked offline. On a new
// installation it makes the key.
func AxisCertificate(ctx context.Context, store *storage.Store, key *storage.KeyFile, now time.Time) ([]byte, error) {
	kept, err := store.AxisKey(ctx, func() (storage.AxisKey, error) { return newAxisKey(key, now) }, now)
	return kept.Certificate, err
}

// axisYears is how long the axis's own certificate is good: as long as a CA's (NĐ 68/2024/NĐ-CP, art. 9), since proofs
// outlive everything else.
const axisYears = 20

func newAxisKey(key *storage.KeyFile, now time.Time) (storage.AxisKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return storage.AxisKey{}, fmt.Errorf("make the axis key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return storage.AxisKey{}, fmt.Errorf("make the axis key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: "Trục liên thông văn bản (bằng chứng kỹ thuật)", Organization: []string{"Trục"}},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(axisYears, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, // its own anchor
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return storage.AxisKey{}, fmt.Errorf("make the axis certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return storage.AxisKey{}, fmt.Errorf("write the axis key: %w", err)
	}
	return storage.AxisKey{Certificate: certificate, Sealed: key.Seal(der, storage.AxisKeyPurpose)}, nil
}
