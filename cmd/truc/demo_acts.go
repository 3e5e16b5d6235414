package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// threeWays is act (a): one signed document, three ways to three agencies.
func (s *story) threeWays(ctx context.Context) error {
	s.show.act("(a) Công văn có ký số gửi 3 cơ quan, theo 3 cách", "An official letter with a signed PDF to 3 agencies, by 3 ways")
	sent, id, err := s.accepted(ctx, letter{sender: demoSender, about: subjectAbout("sốt xuất huyết"),
		to: []string{"000.00.00.G18", demoHealth, demoCommune}, toText: "Bộ Y tế; Sở Y tế tỉnh Hưng Yên; UBND xã Định Mỹ",
		signer: "Nguyễn Văn Thử", position: "Giám đốc"})
	if err != nil {
		return err
	}
	s.first = id
	if err := s.showVerdict(ctx, id, sent); err != nil {
		return err
	}
	if err := s.delivered(ctx, id, len(sent.Recipients)); err != nil {
		return err
	}
	if err := s.toys.look(ctx); err != nil {
		return err
	}
	for agency, last := range map[string]toy.Status{demoMinistry: toy.TakenIn, demoHealth: toy.Completed} { // the commune's clerk is a person: see the log-ins below
		if err := s.heardOf(ctx, demoSender, sent.DocumentID, agency, last); err != nil {
			return err
		}
	}
	return s.showRecipients(ctx, id)
}

// unchanged is the second part of act (a): a system that was never changed but for its endpoint sends to a native system, to
// another such system behind its province's hub, and to one that is pushed; what they say comes to its status queue.
func (s *story) unchanged(ctx context.Context) error {
	sent, _, err := s.accepted(ctx, letter{sender: demoCautious, about: subjectAbout("sốt xuất huyết"), to: []string{demoMinistry, demoHealth, demoSender},
		toText: "Bộ Y tế; Sở Y tế tỉnh Hưng Yên; Sở Y tế TP. Hồ Chí Minh", signer: "Lê Văn Ví Dụ", position: "Giám đốc"})
	if err != nil {
		return err
	}
	for agency, last := range map[string]toy.Status{demoMinistry: toy.TakenIn, demoHealth: toy.Completed, demoSender: toy.TakenIn} {
		if err := s.heardOf(ctx, demoCautious, sent.DocumentID, agency, last); err != nil {
			return err
		}
	}
	s.show.say(fmt.Sprintf("%s gửi bằng SDK cũ (sendEdoc qua /vxp): phản hồi về hàng đợi trạng thái, getSentEdocList cho biết", s.name(demoCautious)),
		"sent by an unchanged VXP client: statuses came to its queue, and getSentEdocList says")
	return s.showStanding(ctx, sent)
}

// showStanding asks as the sender's VXP client does, and tells the rows.
func (s *story) showStanding(ctx context.Context, sent toy.Sent) error {
	rows, err := s.toys.vxp[sent.Sender].GetSentEdocList(ctx, toy.EdocQueue, sent.Dispatch)
	if err != nil {
		return err
	}
	for _, r := range rows {
		text, _, _ := strings.Cut(r.SendStatusDesc, ":") // its reason was told
		if r.SendStatus == toy.PacketDone {
			text = r.ReceiveStatus + ", " + r.ReceiveStatusDesc
		}
		s.show.note(fmt.Sprintf("%-13s  %-30s  %s", r.ToCode, s.name(r.ToCode), text))
	}
	return nil
}

// showVerdict tells what the axis found in the file.
func (s *story) showVerdict(ctx context.Context, id uuid.UUID, sent toy.Sent) error {
	d, err := s.store.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("%s gửi %s: trục kiểm tra chữ ký (%s), lưu bền vững, rồi mới nhận trách nhiệm (201)", s.name(sent.Sender), sent.Files[0].Name, d.Verdict),
		fmt.Sprintf("the axis verified it (%s), stored it durably, and only then answered 201; dispatch %s", d.Verdict, id))
	for _, g := range d.Report.Signatures {
		what := "PDF"
		if g.File != sent.Files[0].Name {
			what = "metadata"
		}
		s.show.note(fmt.Sprintf("%-8s  %-5s  %s (%s)", what, g.Verdict, g.Signer, g.TimeSource))
	}
	return nil
}

// showRecipients tells where each delivery stands and who must act next.
func (s *story) showRecipients(ctx context.Context, id uuid.UUID) error {
	d, err := s.store.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	list, err := s.store.Deliveries(ctx, id, 0, 10)
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("Đã giao %d/%d; phản hồi của nơi nhận đã về tới nơi gửi", len(list), len(list)), "all delivered; what the recipients said has reached the sender")
	for _, dl := range list {
		text := fmt.Sprintf("%-13s  %-30s  %-7s  %s", dl.AddressedTo, s.name(string(dl.Agency)), dl.Way, dl.State)
		if dl.Status != "" {
			text += fmt.Sprintf(", %s %s", dl.Status, server.StatusLabel(dl.Status))
		}
		s.show.note(text)
		if w, ok := server.Awaits(d, dl); ok && dl.Status == "" {
			s.show.note(strings.Repeat(" ", 15) + w.VI)
			s.show.note(strings.Repeat(" ", 15) + s.show.dim(w.EN))
		}
	}
	return nil
}

// everyCommune is act (b): the government's express telegram to all communes.
func (s *story) everyCommune(ctx context.Context) error {
	to := demoCommunes()
	s.show.act(fmt.Sprintf("(b) Công điện HỎA TỐC gửi toàn bộ %s xã, phường, đặc khu", grouped(len(to))),
		fmt.Sprintf("An express telegram to all %s communes", groupedEN(len(to))))
	started := time.Now()
	sent, id, err := s.accepted(ctx, letter{sender: demoGovernment, about: subjectAbout("bão số 12"), to: to,
		toText: "Chủ tịch UBND các xã, phường, đặc khu", signer: "Trần Thị Mẫu", position: "Phó Chủ nhiệm"})
	if err != nil {
		return err
	}
	s.mailing = id
	took := time.Since(started).Seconds()
	s.planReturn(time.Now())
	s.show.say(fmt.Sprintf("Trục nhận trách nhiệm cho %s nơi nhận sau %s s (một bản lưu, %s bản giao)", grouped(len(sent.Recipients)), decimal(took, 2), grouped(len(sent.Recipients))),
		fmt.Sprintf("accepted for %s recipients within %.2f s, making and signing the PDF included; one copy kept", groupedEN(len(sent.Recipients)), took))
	down := s.behind(demoDownPush, to) + s.behind(demoDownPull, to)
	s.show.say("Đang giao; số đã giao được đếm trong cơ sở dữ liệu", "delivering; what is delivered is counted in the database")
	delivered, err := s.mailTo(ctx, len(to)-down, started.Add(mailingPatience))
	if err != nil {
		return err
	}
	took = time.Since(started).Seconds()
	if delivered < len(to)-down {
		s.show.say(fmt.Sprintf("Máy đang bận: %s nơi đã nhận sau %s s, phần còn lại tiếp tục trong lúc câu chuyện đi tiếp", grouped(delivered), decimal(took, 1)),
			fmt.Sprintf("a busy machine: %s have it after %.1f s, the rest goes on while the story does", groupedEN(delivered), took))
		return nil
	}
	s.show.say(fmt.Sprintf("%s nơi đã nhận sau %s s; %d nơi chờ hai trục tỉnh đang ngừng, không nơi nào khác phải chờ theo", grouped(delivered), decimal(took, 1), down),
		fmt.Sprintf("%s have it after %.1f s; %d wait for two provincial hubs, and nobody else waits for those", groupedEN(delivered), took, down))
	return nil
}

// mailingPatience is when the story goes on although the mailing does not stand at its end: a minute and a half is all that a
// judge gives it.
const mailingPatience = 20 * time.Second

// behind counts the recipients that a system serves.
func (s *story) behind(system string, to []string) int {
	n := 0
	for _, code := range to {
		if s.dir.Serves(system, routing.Code(code)) {
			n++
		}
	}
	return n
}

// mailTo draws the bar until so many of the mailing's deliveries are delivered, or the time has come: counted in the
// database, each time anew. It gives the last count.
func (s *story) mailTo(ctx context.Context, want int, until time.Time) (delivered int, err error) {
	total := len(demoCommunes())
	defer s.show.endBar()
	err = s.until(ctx, func() (bool, error) {
		states, _, err := s.store.CountRecipients(ctx, s.mailing, storage.RecipientFilter{})
		if err != nil {
			return false, err
		}
		delivered = states[storage.Delivered]
		s.show.bar(delivered, total, "đã giao · delivered")
		return delivered >= want || time.Now().After(until), nil
	})
	return delivered, err
}

// changed is act (c): a PDF that was changed after signing, from two senders with different policies.
func (s *story) changed(ctx context.Context) error {
	s.show.act("(c) Tệp PDF bị sửa sau khi ký", "A PDF that was changed after it was signed")
	forged := letter{sender: demoSender, about: subjectAbout("giải ngân vốn đầu tư công"), to: []string{demoMinistry},
		toText: "Bộ Y tế", signer: "Nguyễn Văn Thử", position: "Giám đốc", spoil: testpki.ChangeAfterSigning}
	sent, _, err := s.send(ctx, forged)
	if err != nil {
		return err
	}
	if sent.Acknowledged() {
		return fmt.Errorf("the axis took %s although it was changed after signing", sent.DocumentID)
	}
	s.show.say(fmt.Sprintf("%s: TỪ CHỐI (%d %s): %s", s.name(demoSender), sent.Refused.Status, sent.Refused.Code, sent.Refused.VI),
		"refused at once, so that the sender can mend it: "+sent.Refused.EN)
	forged.sender, forged.signer = demoCautious, "Lê Văn Ví Dụ"
	held, id, err := s.accepted(ctx, forged)
	if err != nil {
		return err
	}
	s.held = id
	d, err := s.store.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	if held.State != toy.HeldBack {
		return fmt.Errorf("the axis should hold %s, it is %s", held.DocumentID, held.State)
	}
	s.show.say(fmt.Sprintf("%s (chính sách: giữ lại): GIỮ chờ người quyết định: %s", s.name(demoCautious), d.HeldFor),
		"this sender's policy is to hold: kept, with its reason and owner ("+d.HeldBy+"), until a person decides; its VXP client reads it in getSentEdocList")
	return s.showStanding(ctx, held)
}

// notTaken is act (d): returned by people (02), refused by a system (410), taken back by the sender.
func (s *story) notTaken(ctx context.Context) error {
	s.show.act("(d) Nơi nhận trả lại; hệ thống nhận từ chối; nơi gửi thu hồi", "Returned by the recipient; refused by its system; recalled by the sender")
	for _, act := range []func(context.Context) error{s.returned, s.refused, s.recalled} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) returned(ctx context.Context) error {
	_, id, err := s.accepted(ctx, letter{sender: demoSender, about: subjectAbout("công chức cấp xã"), to: []string{demoReturning},
		toText: "Bộ Xây dựng", signer: "Nguyễn Văn Thử", position: "Giám đốc"})
	if err != nil {
		return err
	}
	item, err := s.heard(ctx, demoSender, func(i toy.Item) bool {
		return i.Receipt != nil && i.Receipt.Status == toy.Rejected && i.Dispatch.ID == id.String()
	})
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("%s trả lại (02), hệ thống của nơi gửi nghe được lý do: “%s”", item.Receipt.Name, item.Receipt.Reason),
		"a business refusal: the sender's own system heard the reason; the transport state stays delivered")
	return nil
}

func (s *story) refused(ctx context.Context) error {
	_, id, err := s.accepted(ctx, letter{sender: demoSender, about: subjectAbout("xâm nhập mặn"), to: []string{demoEnded},
		toText: s.name(demoEnded), signer: "Nguyễn Văn Thử", position: "Giám đốc"})
	if err != nil {
		return err
	}
	item, err := s.heard(ctx, demoSender, func(i toy.Item) bool { return i.Notice != nil && i.Dispatch.ID == id.String() })
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("%s: %s – nơi gửi được báo và phải quyết định", s.name(demoEnded), item.Notice.VI),
		item.Notice.EN+": parked, the sender was told and must decide")
	return nil
}

func (s *story) recalled(ctx context.Context) error {
	sent, id, err := s.accepted(ctx, letter{sender: demoSender, about: subjectAbout("góp ý dự thảo"), to: []string{demoRecalled},
		toText: "Sở Y tế tỉnh Nghệ An", signer: "Nguyễn Văn Thử", position: "Giám đốc"})
	if err != nil {
		return err
	}
	d, err := s.store.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	recall, _, err := s.submit(ctx, toy.Document{Dispatch: toy.Dispatch{
		Sender: demoSender, Recipients: sent.Recipients, DocumentID: sent.DocumentID, Kind: toy.KindRecall, Original: sent.DocumentID,
		Reason: "Gửi nhầm dự thảo", Number: d.Number, Notation: d.Notation, PromulgationDate: d.Promulgated.Format(time.DateOnly),
		Type: toy.Type{Name: d.TypeName}, Subject: d.Subject, Signer: toy.Signer{Name: "Nguyễn Văn Thử", Position: "Giám đốc"},
	}})
	if err != nil {
		return err
	}
	if !recall.Acknowledged() {
		return fmt.Errorf("the axis should take the recall: %w", recall.Refused)
	}
	dl, err := s.store.Delivery(ctx, storage.DeliveryID{Dispatch: id, N: 1})
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("Thu hồi văn bản gửi %s trước khi hệ thống nhận lấy: %s", s.name(demoRecalled), dl.State),
		"recalled before the recipient's system fetched it ("+dl.Reason+"): it will never be delivered")
	return nil
}
