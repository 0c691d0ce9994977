public class Sample {
    public void first() {
        run(10);
    }

    public void second() {
        run(20);
    }
}
