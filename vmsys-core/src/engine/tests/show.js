// Gives the text that a case of tests/web expects: of what a function comes to, or of what it throws.
globalThis.__show = async (run) => {
  try {
    const value = await run();
    if (typeof value === 'string' && !/[\x00-\x1f\x7f-\x9f\ufeff]/.test(value)) return value;
    return value === undefined ? 'undefined' : JSON.stringify(value);
  } catch (error) {
    return `throws ${error?.name} ${error?.code ?? '-'}`;
  }
};
