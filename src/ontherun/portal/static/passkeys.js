// Passkeys. A form with data-passkey asks the server (data-options) what to sign, has the browser answer, and is sent with
// the answer in its field "answer" (or the one that data-field names). Without script such a form stays hidden.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) return;

  const ask = async (form) => {
    const csrf = form.elements.csrf.value;
    const reply = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRF-Token": csrf } });
    if (!reply.ok) throw new Error((await reply.json()).detail);
    const options = await reply.json();
    if (form.dataset.passkey === "enrol") {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      return navigator.credentials.create({ publicKey });
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  };

  const say = (form, words) => {
    let place = form.querySelector("[role=alert]");
    if (!place) {
      place = document.createElement("p");
      place.className = "error";
      place.setAttribute("role", "alert");
      form.append(place);
    }
    place.textContent = words;
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const answer = await ask(form);
        form.elements[form.dataset.field || "answer"].value = JSON.stringify(answer);
        form.submit();
      } catch (error) {
        say(form, error.name === "NotAllowedError" ? "The passkey was not used. Try again." : error.message);
      }
    });
  }

  // A button inside of another form that has its field "second_factor" filled in by a passkey.
  for (const button of document.querySelectorAll("button[data-prove]")) {
    const form = button.form;
    button.hidden = false;
    button.addEventListener("click", async () => {
      form.dataset.options = button.dataset.prove;
      try {
        form.elements.second_factor.value = JSON.stringify(await ask(form));
        if (form.requestSubmit) form.requestSubmit();
        else form.submit();
      } catch (error) {
        say(form, error.name === "NotAllowedError" ? "The passkey was not used. Try again." : error.message);
      }
    });
  }
})();
