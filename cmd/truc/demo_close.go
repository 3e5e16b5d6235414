package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// showLedger prints what was recounted.
func (s *screen) showLedger(l ledger) {
	s.act("Sổ cái, đếm lại từng dòng trong cơ sở dữ liệu", "The ledger, recounted row by row from the database")
	s.note(fmt.Sprintf(ledgerColumns, "lượt giao", "nhận", "đã giao", "từ chối", "hết hạn", "giữ", "thu hồi", "chờ"))
	s.note(s.dim(fmt.Sprintf(ledgerColumns, "deliveries", "accepted", "delivered", "refused", "expired", "held", "recalled", "pending")))
	for _, way := range []routing.Way{routing.Pull, routing.Push, routing.Mailbox} {
		s.ledgerLine(string(way), l.byWay[way])
	}
	s.ledgerLine("tổng · sum", map[storage.State]int{storage.Delivered: l.Delivered, storage.Refused: l.Refused, storage.Expired: l.Expired,
		storage.Held: l.Held, storage.Recalled: l.Recalled, storage.Pending: l.Pending})
	s.note("")
	s.note(fmt.Sprintf("%-44s %9s", "văn bản · dispatches", grouped(l.Dispatches)))
	s.note(fmt.Sprintf("%-44s %9s", "phản hồi · receipts", grouped(l.Receipts)))
	s.note(fmt.Sprintf("%-44s %9s", "cân · balanced (accepted = tổng · the sum)", map[bool]string{true: "có · yes", false: "KHÔNG · NO"}[l.Balanced]))
	s.note(fmt.Sprintf("%-44s %9s", "thời gian · time", decimal(l.Seconds, 1)+" s"))
	s.act("Theo nhật ký riêng của các hệ thống mẫu (không đọc cơ sở dữ liệu của trục)", "By the toy systems' own logs alone (nothing read from the axis's database)")
	for _, line := range []struct {
		text string
		n    int
	}{
		{"lượt giao nơi gửi được xác nhận · acknowledged to senders", l.sent},
		{"phải tới · had to arrive", l.compared.Expected},
		{"đã tới, đúng từng byte (SHA-256) · arrived, every hash right", l.compared.Arrived - len(l.compared.WrongHash)},
		{"không cần tới: giữ, từ chối, thu hồi · held, refused, recalled", l.compared.Excepted},
		{"MẤT · LOST", l.Lost}, {"tới hai lần · twice", l.Doubled}, {"tới nhầm chỗ · astray", l.Stray},
		{"phản hồi không về tới nơi gửi · receipts unheard", l.ReceiptsLost},
	} {
		s.note(fmt.Sprintf("%-62s %7s", line.text, grouped(line.n)))
	}
}

// ledgerColumns fits 80 columns behind the margin.
const ledgerColumns = "%-10s %8s %9s %7s %7s %5s %8s %7s"

func (s *screen) ledgerLine(name string, n map[storage.State]int) {
	sum := 0
	for _, v := range n {
		sum += v
	}
	s.note(fmt.Sprintf(ledgerColumns, name, grouped(sum), grouped(n[storage.Delivered]), grouped(n[storage.Refused]),
		grouped(n[storage.Expired]), grouped(n[storage.Held]), grouped(n[storage.Recalled]), grouped(n[storage.Pending])))
}

// guide tells where to look now, who can sign in, and what to try on the command line.
func (d *demoCommand) guide(in *installation, w *world, s *story, url string) {
	show := s.show
	show.act("Xem gì tiếp theo: "+url, "What to look at next; it goes on serving until Ctrl-C")
	show.note("đăng nhập: tên, mật khẩu, khóa TOTP · sign-in: name, password, TOTP secret")
	for i, u := range w.users {
		show.note(fmt.Sprintf("%s  %s", show.bold(u.Name), demoUsers[i].who))
		show.note(fmt.Sprintf("  %s  %s", u.Password, u.TOTP))
	}
	showCodes(show, w)
	for _, p := range s.tour() {
		show.note("")
		show.note(show.bold(p.user) + "  " + url + p.path)
		show.note(p.vi)
		show.note(show.dim(p.en))
	}
	show.note("")
	show.note("Dòng lệnh · On the command line:")
	for _, line := range d.commands(in, w, url) {
		show.note("    " + line)
	}
	show.note("")
	show.note("Dữ liệu, nhật ký · data, logs: " + in.state + " (truc.log; toys/*.jsonl). Chạy lại `truc demo` sẽ làm mới từ đầu · a further run starts anew.")
}

// showCodes prints the codes that are good now; a code counts once, and a new one comes every 30 s.
func showCodes(show *screen, w *world) {
	now := time.Now()
	show.note("mã xác thực lúc · codes at " + now.In(storage.Vietnam).Format(time.TimeOnly) + ":")
	for _, u := range w.users {
		code, err := totp.GenerateCode(u.TOTP, now)
		if err != nil {
			code = err.Error()
		}
		show.note(fmt.Sprintf("  %-14s %s", u.Name, show.bold(code)))
	}
	if show.live {
		show.note("(nhấn Enter để có mã mới · press Enter for new codes)")
	}
}

// stop is a page of the tour.
type stop struct{ user, path, vi, en string }

func (s *story) tour() []stop {
	mailing := "/dispatches/" + s.mailing.String()
	return []stop{
		{"vanthu.soyte", "/sent", "Văn bản đi của Sở Y tế: đã giao, bị trả lại (02), bị hệ thống từ chối (410), đã thu hồi",
			"what the department sent: delivered, returned with its reason, refused by a system, recalled"},
		{"vanthu.soyte", "/dispatches/" + s.first.String(), "Một văn bản: từng nơi nhận, từng lần giao, phản hồi, kết quả kiểm tra chữ ký, giấy xác nhận của trục",
			"one dispatch: recipients, tries, receipts, what the validator found, the axis's signed proof"},
		{"vanthu.vpcp", mailing, "Công điện HỎA TỐC: 3.321 nơi nhận, lọc theo trạng thái",
			"the express telegram: 3,321 recipients; those of Thanh Hóa show two tries"},
		{"vanthu.dinhmy", "/received", "Hòm thư của UBND xã Định Mỹ: hai văn bản chờ tiếp nhận",
			"the commune's hosted mailbox: two documents wait for its clerk"},
		{"vanhanh", "/dispatches/" + s.held.String(), "Văn bản bị GIỮ vì PDF bị sửa sau khi ký: người vận hành xem lý do và có thể cho đi tiếp",
			"the held document: the operator sees why, and may let it go on; operators see no content"},
	}
}

// commands are lines that work as they stand.
func (d *demoCommand) commands(in *installation, w *world, url string) []string {
	program, err := os.Executable()
	if err != nil {
		program = "truc"
	}
	return []string{
		fmt.Sprintf("%s send --server %s --system %s --secret %s --sender %s --pki %s --demo-pdf \"V/v gửi thử từ dòng lệnh\" --to %s --to %s",
			program, url, demoSender, w.secrets[demoSender], demoSender, filepath.Join(in.state, "pki"), demoMinistry, demoCommune),
		fmt.Sprintf("%s report monthly --state %s --month %s", program, in.state, time.Now().In(storage.Vietnam).Format("2006-01")),
		fmt.Sprintf("%s doctor --state %s", program, in.state),
	}
}

// linger serves until Ctrl-C; on a terminal, Enter prints new codes.
func (d *demoCommand) linger(ctx context.Context, up *running, show *screen, w *world) error {
	entered := make(chan struct{})
	if show.live && isTerminal(os.Stdin) {
		// Nobody waits for this one: a read from a terminal cannot be broken off, and the process ends with it.
		go func() {
			for in := bufio.NewScanner(os.Stdin); in.Scan(); {
				entered <- struct{}{}
			}
		}()
	}
	for {
		select {
		case <-ctx.Done():
			show.write("\n")
			show.say("Đang dừng; dữ liệu còn trong thư mục của demo", "stopping; the data stay in the demo's folder")
			return nil
		case err := <-up.failed:
			return fmt.Errorf("the server ended: %w", err)
		case <-entered:
			showCodes(show, w)
		}
	}
}
