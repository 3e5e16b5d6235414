package signing_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// A message in bare base64 ends where its text ends.
func TestStrayCharactersAfterBase64(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	message := w.sign(testpki.CMS{})
	for _, c := range []struct {
		tail string
		cmsCase
	}{
		{"", cmsCase{name: "valid_base64"}},
		{"\r\n \n", cmsCase{name: "valid_base64_line_ends"}},
		{"A", cmsCase{name: "cms_malformed_base64_one_more", want: signing.CMSMalformed}},
		{"AB", cmsCase{name: "cms_malformed_base64_two_more", want: signing.CMSMalformed}},
		{"\x00", cmsCase{name: "cms_malformed_base64_nul", want: signing.CMSMalformed}},
		{" x", cmsCase{name: "cms_malformed_base64_word", want: signing.CMSMalformed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t, verify(detached(content, []byte(base64.StdEncoding.EncodeToString(message)+c.tail)), w.options()))
		})
	}
}

// A damaged attached message does not become an unsigned file by its damage, whatever its name.
func TestNoBitFlipMakesAMessageUnsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o, message := w.options(), w.sign(testpki.CMS{Attached: true})
	for bit := range 32 * 8 {
		b := bytes.Clone(message)
		b[bit/8] ^= 1 << (bit % 8)
		if got := verify(inside(b), o); got.Verdict != signing.Invalid && got.Verdict != signing.Undetermined {
			t.Errorf("bit %d of byte %d flipped: %s", bit%8, bit/8, got.Verdict)
		}
	}
	for name, b := range map[string][]byte{
		"data": der(0x30, must(oidDER(1)), der(0xA0, der(4, content))), "certificate": w.Root.Certificate.Raw, "list": w.CRLs[0],
		"key store": der(0x30, []byte{2, 1, 3}, der(0x30, must(oidDER(1)), der(0xA0, der(4, content)))),
	} {
		if got := verify(inside(b), o); got.Verdict != signing.Unsigned {
			t.Errorf("%s: %s %v", name, got.Verdict, got.Files[0].Reasons)
		}
	}
}
