export async function backup(_target: string): Promise<void> {}
export async function restore(_copy: string): Promise<void> {}
