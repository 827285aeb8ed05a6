/** A thread's file that never finishes loading. */
for (;;);
