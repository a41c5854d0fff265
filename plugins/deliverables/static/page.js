// What only a script can do: follow Airflow's own choices of theme and language, and leave its frame.
// The page works without it.
(() => {
  "use strict";
  const page = document.documentElement;
  const framed = window.parent !== window;

  // Airflow keeps both choices in the storage that this page shares with it.
  const stored = (name) => {
    try {
      return localStorage.getItem(name) || "";
    } catch {
      return "";
    }
  };

  // "system", or nothing, leaves the theme to the browser.
  const followTheme = () => {
    const theme = stored("theme");
    if (theme === "light" || theme === "dark") page.dataset.theme = theme;
    else delete page.dataset.theme;
  };

  const followLanguage = () => {
    const language = stored("i18nextLng").slice(0, 2);
    if (language !== page.lang && page.dataset.languages.split(" ").includes(language)) {
      const address = new URL(location.href);
      address.searchParams.set("lang", language);
      location.replace(address);
    }
  };

  followTheme();
  if (!new URL(location.href).searchParams.has("lang")) followLanguage();
  addEventListener("storage", ({ key }) => {
    if (key === "theme") followTheme();
    if (key === "i18nextLng") followLanguage();
  });

  // Airflow's frame may not navigate the window around it; a link that belongs to that window may.
  addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || !framed) return;
    event.preventDefault();
    const outer = window.parent.document.createElement("a");
    outer.href = link.href;
    outer.click();
  });

  addEventListener("submit", ({ target }) => {
    const button = target.querySelector("button[data-busy]");
    if (!button) return;
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });

  // A page that the browser kept, and shows again, is not checking any more.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[data-idle]")) {
      button.textContent = button.dataset.idle;
      button.removeAttribute("aria-disabled");
    }
  });
})();
