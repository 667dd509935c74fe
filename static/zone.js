// The browser's time zone, told to the server in a cookie: pages then show times in it. The first page of all is in UTC.
(function () {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const safe = location.protocol === "https:" ? "; Secure" : "";
  if (zone) document.cookie = `timezone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${safe}`;
})();
