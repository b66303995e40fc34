/** Adds up the bytes of a file with libaio, through a native library as message brokers have for their journals. */
public final class Sum {
    private static native long[] sum(String path);

    public static void main(String[] arguments) {
        System.load(System.getProperty("user.dir") + "/libsum.so");
        long[] result = sum(arguments[0]);
        System.out.println(result[0] + " bytes, sum " + result[1]);
    }
}
