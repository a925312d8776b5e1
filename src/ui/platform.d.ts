// Browser interfaces that TypeScript's DOM library lacks. Each is optional or feature-detected where it is
// used.

interface Window {
  /**
   * File System Access (WICG), Chromium only. Rejects with an AbortError when the person closes the picker.
   */
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
  /** Shape Detection (WICG), Chromium on Android and macOS. */
  BarcodeDetector?: {
    new (options: { formats: string[] }): {
      detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
    };
    getSupportedFormats(): Promise<string[]>;
  };
}

interface DataTransferItem {
  /** File System Access (WICG), Chromium only. Null for an item that is not a file on a disk. */
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}
