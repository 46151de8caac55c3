// The sheets of a report: one button.
document.querySelector("[data-do=print]").addEventListener("click", () => print());
