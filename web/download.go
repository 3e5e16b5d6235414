package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/truc-lienthong/truc/storage"
)

// getSentFile gives the sender a file back.
func (s *site) getSentFile(q *request) error {
	id, err := pathID(q)
	if err != nil {
		return err
	}
	d, err := s.find(q, id)
	if err != nil {
		return err
	}
	if !d.sender {
		return storage.ErrNotFound // a recipient's file has the delivery's address, which is noted as read
	}
	return s.giveFile(q, d.Dispatch)
}

// getReceivedFile gives a recipient a file. It counts as fetched: from then on a recall has to ask.
func (s *site) getReceivedFile(q *request) error {
	d, dl, err := s.findDelivery(q)
	if err != nil {
		return err
	}
	err = s.Server.Read(q.Context(), dl.DeliveryID)
	if state := (*storage.StateError)(nil); errors.As(err, &state) {
		return storage.ErrNotFound
	}
	if withdrawn := (*storage.WithdrawnError)(nil); errors.As(err, &withdrawn) {
		return errGivenBack
	}
	if err != nil {
		return err
	}
	return s.giveFile(q, d)
}

func (s *site) giveFile(q *request, d storage.Dispatch) error {
	n, err := strconv.Atoi(q.PathValue("n"))
	if err != nil || n < 1 || n > len(d.Attachments) {
		return errNoPage
	}
	a := d.Attachments[n-1]
	return s.give(q, a.Object, "document.download", d.ID.String()+"/"+strconv.Itoa(n), a.MediaType, a.Name)
}

// getProof gives the axis's signed statement that it accepted a document.
func (s *site) getProof(q *request) error {
	id, err := pathID(q)
	if err != nil {
		return err
	}
	d, err := s.find(q, id)
	if err != nil {
		return err
	}
	if !d.sender {
		return storage.ErrNotFound
	}
	made, err := s.Server.ProofOf(q.Context(), d.Dispatch)
	if err != nil {
		return err
	}
	return s.give(q, made, "document.proof", id.String(), "application/pkcs7-mime; smime-type=signed-data", "giay-xac-nhan-"+id.String()+".p7m")
}

// give streams a stranger's bytes. They are never shown in place: attachment, nosniff, and a sandbox in case a browser
// does so all the same. The audit comes first: what cannot be noted is not given (R93).
func (s *site) give(q *request, o storage.Object, action, object, media, name string) error {
	err := s.Store.Audit(q.Context(), storage.Event{At: s.Now(), Actor: q.viewer.Name, IP: q.ip(), Action: action, Object: object})
	if err != nil {
		return err
	}
	body, err := s.Store.OpenObject(q.Context(), o, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // it was read to its end or given up
	h := q.w.Header()
	h.Set("Content-Type", mediaOr(media))
	h.Set("Content-Disposition", disposition(name))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Length", strconv.FormatInt(o.Size, 10))
	q.w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(q.w, body); err != nil {
		if q.Context().Err() == nil {
			s.Log.Error("file not given to its end", "object", object, "err", err)
		}
		panic(http.ErrAbortHandler) // the headers are out: a cut connection is the only way to say that it is not whole
	}
	return nil
}

// mediaOr keeps a sender from making the answer a page: what is no plain media type is bytes.
func mediaOr(media string) string {
	parsed, params, err := mime.ParseMediaType(media)
	if err != nil || parsed == "text/html" || parsed == "application/xhtml+xml" || parsed == "image/svg+xml" {
		return "application/octet-stream"
	}
	return mime.FormatMediaType(parsed, params)
}

// disposition names the file to save; RFC 2231 carries the diacritics.
func disposition(name string) string {
	if value := mime.FormatMediaType("attachment", map[string]string{"filename": name}); value != "" {
		return value
	}
	return "attachment"
}
