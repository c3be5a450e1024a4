import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirOf } from '../../evaluate/secret.ts';
import { errorCode } from '../../experiment/config.ts';

/** What this user's processes know each other by can be kept nowhere. */
export class ConfigFolderError extends Error {
  override readonly name = 'ConfigFolderError';
  readonly code = 'config-folder';
}

/** A folder in the user's configuration folder, made (mode 0700) if it is not there. @throws {ConfigFolderError} when it cannot be */
export async function configFolder(env: Readonly<Record<string, string | undefined>>, name: string): Promise<string> {
  const folder = join(configDirOf(env), name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (error) {
    throw new ConfigFolderError(
      `the configuration folder ${configDirOf(env)} cannot be written (${errorCode(error) ?? 'unknown error'}); set XDG_CONFIG_HOME to a folder that can be`,
      { cause: error },
    );
  }
}
