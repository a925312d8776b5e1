// The rear camera, and the QR codes in its picture: read by the browser's own detector if there is one,
// otherwise by the `qr` package, which is loaded only then, before the app says that it is ready.

/** Ten looks a second find a code quickly, and leave a phone time for other work. */
const LOOK_INTERVAL_MS = 100;

/** The camera whose picture is on the page. */
export interface Camera {
  /** Of `cameras`, the one that it is; '' where the browser does not say. */
  readonly id: string;
  /** Whether it has a light that can be switched. */
  readonly hasTorch: boolean;
  /** Rejects when the light does not obey. */
  setTorch(isOn: boolean): Promise<void>;
  /** All of this device. Their names are known while one is open. */
  cameras(): Promise<readonly { readonly id: string; readonly name: string }[]>;
}

/** What TypeScript's DOM library lacks of Media Capture (W3C mediacapture-image): the light. */
interface TorchSettings {
  readonly torch?: boolean;
}

/**
 * Plays a camera in `video` until `signal` aborts, then releases it: that of `id`, or by default the rear
 * one.
 * @throws DOMException 'NotAllowedError', 'NotFoundError' and others as getUserMedia; Error without a camera
 * API.
 */
export async function openCamera(video: HTMLVideoElement, signal: AbortSignal, id?: string): Promise<Camera> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) throw new DOMException('This browser gives pages no camera', 'NotFoundError');
  const wanted = id === undefined ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: id } };
  // A code of two hundred letters has small modules: 1280 pixels show them from a hand's breadth away.
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await devices.getUserMedia({ video: { ...wanted, ...size }, audio: false });
  const release = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  if (signal.aborted) {
    release();
    signal.throwIfAborted();
  }
  signal.addEventListener('abort', release, { once: true });
  video.srcObject = stream;
  await video.play();
  return cameraOf(stream, devices);
}

/**
 * Asks for the camera and lets it go: a browser that may use it tells this device's addresses to pages, and
 * systems that ask about the local network ask here. Never rejects: without a camera there are other ways.
 */
export async function askForCamera(): Promise<void> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: false });
    for (const track of stream.getTracks()) track.stop();
  } catch {
    // Refused, or there is none.
  }
}

function cameraOf(stream: MediaStream, devices: MediaDevices): Camera {
  const [track] = stream.getVideoTracks();
  const able: MediaTrackCapabilities & TorchSettings = track?.getCapabilities?.() ?? {};
  return {
    id: track?.getSettings().deviceId ?? '',
    hasTorch: able.torch === true,
    setTorch: async (isOn) => {
      const light: MediaTrackConstraintSet & TorchSettings = { torch: isOn };
      await track?.applyConstraints({ advanced: [light] });
    },
    cameras: async () => {
      const known = await devices.enumerateDevices();
      return known
        .filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '')
        .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
    },
  };
}

/** The texts of QR codes that come into the picture, until `signal` aborts. */
export async function* scanFrames(
  video: HTMLVideoElement,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const detect = await loadDetector();
  while (!signal.aborted) {
    const text = video.readyState >= video.HAVE_CURRENT_DATA ? await detect(video) : undefined;
    if (signal.aborted) return;
    if (text !== undefined) yield text;
    await new Promise<void>((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

type Detect = (video: HTMLVideoElement) => Promise<string | undefined>;

/**
 * Loads what finds QR codes; afterwards scanning fetches nothing.
 * @throws TypeError when it cannot be fetched.
 */
export async function loadDetector(): Promise<Detect> {
  const Native = window.BarcodeDetector;
  if (Native !== undefined && (await readsCodes(Native))) {
    const native = new Native({ formats: ['qr_code'] });
    return async (video) => (await native.detect(video))[0]?.rawValue;
  }
  const { BarcodeDetector } = await import('qr/decode.js');
  const portable = new BarcodeDetector({ formats: ['qr_code'] });
  return async (video) => (await portable.detect(video))[0]?.rawValue;
}

/** Some engines have the interface and no service behind it: they list nothing, or fail to. */
async function readsCodes(detector: NonNullable<Window['BarcodeDetector']>): Promise<boolean> {
  try {
    return (await detector.getSupportedFormats()).includes('qr_code');
  } catch {
    return false;
  }
}
