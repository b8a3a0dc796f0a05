// The link in a mail ends in "#" and the code: that part never reaches a server's log, nor a program that opens links in
// mails. Here it is filled in and sent.

const code = decodeURIComponent(location.hash.slice(1));
const field = document.querySelector("input[name=code]");
if (code && field) {
  history.replaceState(null, "", location.pathname + location.search);
  field.value = code;
  field.form.requestSubmit();
}
