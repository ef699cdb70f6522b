document.getElementById("password")?.focus();
