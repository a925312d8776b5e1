// What Vite makes of an import that ends in `?url`: the address at which the file is served.

declare module '*.wasm?url' {
  const url: string;
  export default url;
}
