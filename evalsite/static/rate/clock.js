// How long an item was really looked at: the page visible, in focus and not paused. Wall time runs from the first show.

export class Clock {
  constructor(activeMs, wallMs) {
    this.active = activeMs;
    this.since = null;
    this.paused = false;
    this.start = performance.now() - wallMs;
    this.update();
  }

  update() {
    const now = performance.now();
    if (this.since !== null) this.active += now - this.since;
    this.since = !this.paused && !document.hidden && document.hasFocus() ? now : null;
  }

  pause(paused) {
    this.paused = paused;
    this.update();
  }

  read() {
    this.update();
    return { active_ms: Math.round(this.active), wall_ms: Math.round(performance.now() - this.start) };
  }
}
